"""The tools there are, and which of them an actor gets to see."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from crm.actor import Actor
from tools.arguments import ToolInput
from tools.outputs import ToolOutput
from tools.policy import may_call
from tools.spec import Effect, ToolSpec

AnySpec = ToolSpec[Any, Any]


class Registry:
    """A catalogue of tools by name.

    Raises: ValueError: two tools share a name, or a contract is incomplete.
    """

    def __init__(self, specs: Iterable[AnySpec]) -> None:
        self._specs: dict[str, AnySpec] = {}
        for spec in specs:
            _check(spec)
            if spec.name in self._specs:
                raise ValueError(f"two tools are called {spec.name}")
            self._specs[spec.name] = spec

    def __iter__(self) -> Iterator[AnySpec]:
        return iter(self._specs.values())

    def get(self, name: str) -> AnySpec | None:
        """Return a tool, or None."""
        return self._specs.get(name)

    def tools_for(self, actor: Actor) -> tuple[AnySpec, ...]:
        """Return the tools that the actor may call; the others are not even named to a model."""
        return tuple(spec for spec in self if may_call(spec, actor))


def _check(spec: AnySpec) -> None:
    known = issubclass(spec.input, ToolInput) and issubclass(spec.output, ToolOutput)
    if not known or spec.input.model_config.get("extra") != "forbid":
        raise ValueError(f"{spec.name} takes or returns what the runner cannot check")
    if spec.approval != "none" and (spec.summarise is None) == (spec.prepare is None):
        raise ValueError(f"{spec.name} needs approval and cannot say of what")
    if spec.effect is Effect.READ and spec.approval != "none":
        raise ValueError(f"{spec.name} changes nothing and asks for approval")
    for example in spec.examples:
        spec.input.model_validate(example)


@cache
def default_registry() -> Registry:
    """Return the institution's catalogue."""
    from tools.catalogue import SPECS

    return Registry(SPECS)
