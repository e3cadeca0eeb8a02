"""The run of a demo: what is started in which order, and how it ends."""

import asyncio
import time
from collections.abc import Callable

from rich.console import Console
from rich.markup import escape

from api.commands.children import launcher
from api.commands.logins import Login, demo_logins
from api.commands.ports import choose_port
from api.commands.probe import Reply, ask, fetch, wait_for_worker, wait_until_ready
from api.commands.running_demo import announce
from api.commands.steps import Steps
from api.commands.store import read_facts, require_answer
from api.commands.supervisor import Service, Supervisor, terminable
from api.embedded.deployment import environment_of, postgres_of, valkey_of, with_secrets
from api.settings import Settings
from crm.errors import OrientaError, Unavailable

QUESTION = "¿Cuánto cuesta el curso de Python y cuándo empieza?"
TRIES = 3


Welcome = Callable[[Console, str, list[Login]], None]


class DemoRun:
    """Starts everything, keeps it running, stops it in order.

    Args:
        patience_s: how long to wait for the port of a demo that was killed a moment ago.
    """

    def __init__(
        self, settings: Settings, console: Console, *, workers: int, patience_s: float
    ) -> None:
        self._settings = settings
        self._console = console
        self._workers = workers
        self._patience_s = patience_s
        self._steps = Steps(console)
        self._supervisor = Supervisor(self._tell)

    def serve(self, welcome: Welcome) -> None:
        """Run until interrupted."""

        def go_on(url: str) -> None:
            welcome(self._console, url, demo_logins())
            self._supervisor.watch()

        self._run(go_on)

    def check(self) -> None:
        """Start, look at the page, ask one question, stop.

        Raises: Unavailable: something does not answer, or it was interrupted.
        """
        if not self._run(self._examine):
            raise Unavailable("demo.interrupted", "Interrupted.")

    def _run(self, work: Callable[[str], None]) -> bool:
        """Start everything, do the work, stop everything; False when it was interrupted."""
        try:
            with terminable():
                work(self._start())
        except KeyboardInterrupt:
            self._console.print("\nStopping…")
            return False
        finally:
            self._supervisor.stop()
        return True

    def _examine(self, url: str) -> None:
        with self._steps.step("The worker answers"):
            wait_for_worker(self._settings.redis_url or "")
        with self._steps.step("The page at /"):
            fetch(f"{url}/")
        with self._steps.step("A question") as step:
            reply, tries = self._ask_until_grounded(url)
            step.found(f"{reply.citations} sources, try {tries}")
        said = f"\n[dim]{QUESTION}[/dim]\n{escape(reply.text)}\n"
        self._console.print(said, highlight=False, soft_wrap=True)

    def _ask_until_grounded(self, url: str) -> tuple[Reply, int]:
        """Ask until the answer has a source: on a busy machine the first search may time out."""
        for number in range(1, TRIES + 1):
            reply = ask(url, QUESTION, locale="es")
            if reply.citations:
                return reply, number
        raise Unavailable("api.answer", f"The reply names no source: {reply.text}")

    def _start(self) -> str:
        self._start_servers()
        self._migrate()
        self._load()
        return self._start_processes()

    def _start_servers(self) -> None:
        found: dict[str, object] = {}
        if self._settings.database_url is None:
            with self._steps.step("PostgreSQL") as step:
                url = self._supervisor.run_server(postgres_of(self._settings.home))
                facts = read_facts(url)
                step.found(f"{facts.version} with pgvector {facts.vector}")
                found["database_url"] = url
        if self._settings.redis_url is None:
            with self._steps.step("Valkey"):
                found["redis_url"] = self._supervisor.run_server(valkey_of(self._settings.home))
        self._settings = with_secrets(self._settings.model_copy(update=found))

    def _migrate(self) -> None:
        from api.migrations import runner

        with self._steps.step("Schema") as step:
            url = self._settings.require_database_url()
            require_answer(url)
            applied = runner.migrate(url)
            step.found(f"{len(applied)} migrations" if applied else "up to date")

    def _load(self) -> None:
        from api.bootstrap import open_services
        from api.demo.loader import load_demo

        async def load() -> str:
            async with open_services(self._settings) as services:
                return str(await load_demo(services, report=step))

        with self._steps.step("Demo institution") as step:
            step.found(asyncio.run(load()))

    def _start_processes(self) -> str:
        port = choose_port(self._settings.host, self._settings.port, patience_s=self._patience_s)
        if port != self._settings.port:
            self._tell(f"port {self._settings.port} is taken: using {port}")
        self._settings = self._settings.model_copy(update={"port": port})
        url = f"http://{self._settings.host}:{port}"
        with self._steps.step("API") as step:
            api = self._launch("API", "api", "serve", f"--workers={self._workers}")
            self._await(url, api)
            step.found(url)
        with self._steps.step("Worker"):
            self._launch("worker", "worker", "worker")
        announce(self._settings.home, url)
        return url

    def _launch(self, title: str, name: str, *arguments: str) -> Service:
        launch = launcher(
            *arguments,
            environment=environment_of(self._settings),
            log=self._settings.home.absolute() / "logs" / f"{name}.log",
        )
        return self._supervisor.run_service(title, launch)

    def _await(self, url: str, api: Service) -> None:
        try:
            wait_until_ready(url, lambda: api.process)
        except OrientaError as error:
            log = self._settings.home / "logs" / "api.log"
            raise Unavailable(error.code, f"{error.safe_message} Read {log}.") from error

    def _tell(self, what: str) -> None:
        clock = time.strftime("%H:%M:%S")
        self._console.print(f"[yellow]{clock}[/yellow] {escape(what)}", highlight=False)
