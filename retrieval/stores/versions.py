"""Decides what storing a document means for its versions."""

from dataclasses import dataclass

from retrieval.stores.protocol import SaveOutcome


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """The newest version in the index.

    Args:
        current: False once the document was withdrawn.
        same_content: the incoming content is the same.
        same_rest: so are its attributes and the way it is cut into chunks.
    """

    version: int
    current: bool
    same_content: bool
    same_rest: bool


def decide_version(stored: StoredVersion | None, declared: int) -> tuple[SaveOutcome, int]:
    """Return what happens to a document and the version it gets.

    A changed content always gets a higher version, whatever was declared; a declared version
    above the stored one is taken even if the content is the same.
    """
    if stored is None:
        return "added", declared
    if declared > stored.version or not stored.same_content:
        return "changed", max(declared, stored.version + 1)
    if not stored.current:
        return "added", stored.version
    return ("unchanged" if stored.same_rest else "updated"), stored.version
