"""The marks in a model's text: `[[s1]]` cites a source, `[[!verify]]` asks for an action.

A model can only write text; with marks it says where a statement comes from (`[[ref]]`) and what
the conversation's window should offer (`[[!verify]]`, `[[!handoff_offer]]`) or what it is waiting
for (`[[!task:open_ticket]]`). A student never sees one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MARK = re.compile(r"[ \t]*\[\[\s*(!?[\w:.\-]+)\s*\]\]")
#: A mark that a stream has not finished yet.
_UNFINISHED = re.compile(r"[ \t]*\[(?:\[[^\]\n]{0,64}\]?)?$")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as a student reads it, with what its marks said.

    Args:
        refs: cited sources in the order of their numbers.
        actions: `verify`, `handoff_offer`, …
        tasks: what the model waits for, e.g. `open_ticket`.
    """

    text: str
    refs: tuple[str, ...]
    actions: tuple[str, ...]
    tasks: tuple[str, ...]


def render_marks(text: str, known: Iterable[str], refs: tuple[str, ...] = ()) -> Rendered:
    """Replace citations by numbers ` [1]` and take every other mark out.

    Args:
        known: refs that exist; a mark with another one vanishes.
        refs: numbers given so far, when a text is rendered sentence by sentence.
    """
    order, actions, tasks = list(refs), list[str](), list[str]()
    available = frozenset(known)

    def replace(found: re.Match[str]) -> str:
        name = found[1]
        if name.startswith("!task:"):
            tasks.append(name.removeprefix("!task:"))
        elif name.startswith("!"):
            actions.append(name[1:])
        elif name in available:
            order.append(name) if name not in order else None
            return f" [{order.index(name) + 1}]"
        return ""

    rendered = _UNFINISHED.sub("", _MARK.sub(replace, text))
    return Rendered(rendered, tuple(order), tuple(dict.fromkeys(actions)), tuple(tasks))


def without_marks(text: str) -> str:
    """Return a text with no marks."""
    return _UNFINISHED.sub("", _MARK.sub("", text))
