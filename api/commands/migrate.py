"""`orienta migrate`: bring the database to the newest schema."""

from rich.console import Console

from api.commands.store import require_answer, where
from api.embedded.deployment import complete
from api.settings import Settings


def migrate() -> None:
    """Bring the database to the newest schema; safe to run from several machines at once."""
    from api.migrations import runner

    with complete(Settings(), redis=False) as settings:
        url = settings.require_database_url()
        require_answer(url)
        applied = runner.migrate(url)
        done = f"applied {', '.join(applied)}" if applied else "nothing to do"
        Console().print(f"{where(url)}: {done}", highlight=False)
