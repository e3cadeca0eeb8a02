"""`orienta demo`: the whole product on this machine, with the demo institution."""

import shutil
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from api.commands.demo_run import DemoRun
from api.commands.logins import Login
from api.commands.running_demo import AlreadyRunning, RunningDemo, claim, running_demo
from api.embedded.deployment import postgres_of, valkey_of
from api.embedded.secrets import FILE as SECRETS_FILE
from api.settings import Settings

LEFTOVERS = ("logs", SECRETS_FILE, "demo.json", "demo.lock", "celerybeat-schedule*")


def demo(
    port: Annotated[int | None, typer.Option(help="Port; the next free one if taken.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="API processes.")] = 1,
    check: Annotated[
        bool, typer.Option("--check", help="Start, ask one question, stop; 0 if all is well.")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="First delete all data under the home folder.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
) -> None:
    """Run everything on this machine: servers, demo institution, API and worker.

    A second start keeps the data. Ctrl-C stops it all.
    """
    console = Console()
    settings = Settings().model_copy(update={"demo": True, **({"port": port} if port else {})})
    if reset:
        _reset(settings, console, sure=yes)
    try:
        with claim(settings.home) as was_killed:
            run = DemoRun(settings, console, workers=workers, patience_s=10 if was_killed else 0)
            run.check() if check else run.serve(_welcome)
    except AlreadyRunning as other:
        _point_to(other.demo, console)


def _point_to(other: RunningDemo, console: Console) -> None:
    where = f"at {other.url}" if other.url else "and is still starting"
    console.print(
        f"Orienta already runs {where} (process {other.pid}).\n"
        "Stop it there with Ctrl-C, or choose another folder with ORIENTA_HOME.",
        highlight=False,
    )


def _reset(settings: Settings, console: Console, *, sure: bool) -> None:
    home = settings.home.absolute()
    if (other := running_demo(home)) is not None:
        _point_to(other, console)
        raise typer.Exit(1)
    if not home.exists():
        return
    if not sure:
        typer.confirm(f"Delete all people, conversations and settings in {home}?", abort=True)
    postgres_of(home).erase()
    valkey_of(home).erase()
    for pattern in LEFTOVERS:  # by name: a home that was set wrong must not lose what is not ours
        for path in home.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    console.print(f"Deleted the data in {home}.", highlight=False)


def _welcome(console: Console, url: str, logins: list[Login]) -> None:
    """Say where to look; an address stands alone on its line, so that none is ever cut."""
    lines = ["", "[bold]Orienta answers.[/bold]", ""]
    for title, path, words in (
        ("Students", "/", "the chat, on a demo page"),
        ("Advisors", "/advisor", _login(logins, "advisor")),
        ("Admins", "/admin", _login(logins, "admin")),
        ("Mailbox", "/demo/mailbox", "where one-time codes arrive"),
    ):
        lines += [f"  {title:10}[bold]{url}{path}[/bold]", f"  {'':10}[dim]{escape(words)}[/dim]"]
    lines += ["", "Ctrl-C stops it; the data stay.", ""]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _login(logins: list[Login], role: str) -> str:
    return next((f"{one.email}  {one.password}" for one in logins if one.role == role), "")
