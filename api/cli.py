"""The `orienta` command: its verbs, and how it says that something failed."""

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

import typer
from rich.console import Console
from rich.markup import escape

from api.commands import (
    audit,
    beat,
    demo,
    demo_data,
    doctor,
    erasures,
    events,
    graph,
    imports,
    ingest,
    migrate,
    ping,
    sagas,
    scoring,
    search,
    search_index,
    serve,
    train,
    worker,
)
from crm.errors import OrientaError
from retrieval.errors import RetrievalError

#: Other packages of the tree, which this one may not import, register their verbs here.
PLUGINS = "orienta.commands"


def build(arguments: Sequence[str]) -> typer.Typer:
    """Assemble the command.

    Args:
        arguments: what it is called with; verbs of others are loaded only if they are wanted.
    """
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Orienta, the AI-agent-centred CRM assistant of an educational institution.",
    )
    for verb in (
        demo.demo,
        serve.serve,
        worker.worker,
        beat.beat,
        ping.ping,
        migrate.migrate,
        ingest.ingest,
        search.search,
        doctor.doctor,
        graph.graph,
    ):
        app.command()(verb)
    app.command("demo-data")(demo_data.demo_data)
    app.command("import")(imports.import_file)
    app.add_typer(audit.app, name="audit")
    app.add_typer(erasures.app, name="erasures")
    app.add_typer(events.app, name="events")
    app.add_typer(sagas.app, name="sagas")
    app.add_typer(scoring.app, name="scoring")
    app.add_typer(search_index.app, name="search-index")
    app.add_typer(train.app, name="train")
    first = arguments[0] if arguments else "--help"
    for entry in entry_points(group=PLUGINS):
        if first in (entry.name, "--help"):
            app.add_typer(entry.load(), name=entry.name)
    return app


def main() -> None:
    """Run the command line; an expected failure is one sentence and exit code 1."""
    try:
        build(sys.argv[1:])()
    except (OrientaError, RetrievalError) as error:
        Console(stderr=True).print(f"[red]✗[/red] {escape(error.safe_message)}", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
