"""What an import is and what became of its lines: pure rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NewType
from uuid import UUID

from crm.errors import RuleBroken

ImportId = NewType("ImportId", UUID)
ImportKind = Literal["people", "leads", "courses"]
#: What to do with a line about somebody, or something, that is there already.
DuplicatePolicy = Literal["skip", "update", "fail"]
ImportStatus = Literal["queued", "running", "done", "failed", "cancelled"]

#: Lines a transaction: about 0.4 s of work, so that progress shows and a crash repeats little.
BATCH = 1_000
#: A runner that has not committed a batch by then has died.
CLAIM = timedelta(minutes=1)
PART_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StartImport:
    """A file to read.

    Args:
        columns: field → header in the file; fields that are not named are found by their headers.
        dry_run: report what would happen and change nothing.
    """

    kind: ImportKind
    file_name: str
    columns: Mapping[str, str] = field(default_factory=dict)
    duplicates: DuplicatePolicy = "skip"
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import and how far it is; `created`, `updated`, `skipped` and `failed` count lines."""

    id: ImportId
    kind: ImportKind
    file_name: str
    size_bytes: int = 0
    columns: Mapping[str, str]
    duplicates: DuplicatePolicy
    dry_run: bool
    status: ImportStatus
    error_code: str | None = None
    staff_id: UUID | None
    lines_total: int = 0
    lines_done: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    failed: int = 0
    epoch: int = 0
    created_at: datetime
    ended_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Return whether nothing more will happen to it."""
        return self.status in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with one line.

    Args:
        line: of the file, the header is line 1.
        field: ours, not the file's; None when the whole line is wrong.
    """

    line: int
    field: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file as it stands there: field → text, without surrounding space."""

    number: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class Outcome:
    """What became of some lines.

    Args:
        met: digests of the addresses in them; a dry run remembers these between batches.
    """

    created: int = 0
    updated: int = 0
    skipped: int = 0
    errors: list[LineError] = field(default_factory=list)
    met: list[bytes] = field(default_factory=list)

    def refuse(self, line: int, broken: RuleBroken, field: str | None = None) -> None:
        """Note that a line was not taken."""
        self.errors.append(LineError(line, field, broken.code, broken.safe_message))


@dataclass(frozen=True, slots=True)
class Field:
    """A field that a file may bring.

    Args:
        headers: what a column may be called, folded; the field's own name is always one of them.
    """

    name: str
    headers: tuple[str, ...] = ()
    required: bool = False


def choose_columns(
    header: Sequence[str], fields: Sequence[Field], wanted: Mapping[str, str]
) -> dict[str, int]:
    """Return which column of the file holds which field.

    Args:
        header: the file's first line.
        wanted: field → header, where the caller says so.

    Raises:
        RuleBroken("import.field"): the caller names a field that there is not.
        RuleBroken("import.column"): the file has no column that the caller names.
        RuleBroken("import.columns"): a required field has no column.
    """
    places = {_fold(title): i for i, title in reversed(list(enumerate(header)))}
    if unknown := wanted.keys() - {f.name for f in fields}:
        raise RuleBroken("import.field", f"There is no field {_quoted(unknown)} to import.")
    if absent := {title for title in wanted.values() if _fold(title) not in places}:
        raise RuleBroken("import.column", f"The file has no column {_quoted(absent)}.")
    chosen: dict[str, int] = {}
    for each in fields:
        titles = (wanted[each.name],) if each.name in wanted else (each.name, *each.headers)
        found = [places[_fold(title)] for title in titles if _fold(title) in places]
        if found:
            chosen[each.name] = found[0]
    if missing := {f.name for f in fields if f.required} - chosen.keys():
        raise RuleBroken("import.columns", f"The file has no column for {_quoted(missing)}.")
    return chosen


def _quoted(names: "set[str]") -> str:
    return ", ".join(f"“{name[:60]}”" for name in sorted(names))


def _fold(title: str) -> str:
    plain = title.strip().casefold().translate(_PLAIN)
    return "_".join(plain.replace("-", " ").replace("_", " ").split())


_PLAIN = str.maketrans("áéíóúüñ", "aeiouun", "*:.")
