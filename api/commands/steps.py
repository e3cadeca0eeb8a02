"""Shows the steps of a long command: a live bar on a terminal, one line a step elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Step:
    """One step under way; called with what it is at, how much is done, and of how much."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self.detail = ""

    def __call__(self, label: str, done: int, total: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, detail=label, completed=done, total=total or None)

    def found(self, detail: str) -> None:
        """Note what the closing line says beside the title."""
        self.detail = detail


class Steps:
    """The display of a command's steps."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step while the block runs, then how it ended and how long it took."""
        began = time.monotonic()
        with self._progress() as progress:
            step = Step(progress, progress.add_task(title, total=None, detail=""))
            try:
                yield step
            except BaseException:
                progress.stop()
                self._close("[red]✗[/red]", title, "", began)
                raise
        self._close("[green]✓[/green]", title, step.detail, began)

    def _progress(self) -> Progress:
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=28),
            TextColumn("[dim]{task.fields[detail]}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def _close(self, mark: str, title: str, detail: str, began: float) -> None:
        took = f"{time.monotonic() - began:.1f} s"
        said = f"[dim]{detail} · {took}[/dim]" if detail else f"[dim]{took}[/dim]"
        self.console.print(f"{mark} {title}  {said}", highlight=False, soft_wrap=True)
