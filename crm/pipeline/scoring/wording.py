"""Says in words which cell of a scale a lead is in."""

from crm.people.models import Locale
from crm.pipeline.scoring.features import FeatureSet
from crm.pipeline.scoring.models import Scale

_WORDS: dict[Locale, dict[str, str]] = {
    "es": {"upto": "hasta {0}", "between": "más de {0}, hasta {1}", "above": "más de {0}",
           "exact": "{0}", "missing": "sin datos"},
    "en": {"upto": "up to {0}", "between": "over {0}, up to {1}", "above": "over {0}",
           "exact": "{0}", "missing": "not known"},
}  # fmt: skip


def cell_text(scale: Scale, cell: int, features: FeatureSet, locale: Locale) -> str:
    """Return what a cell holds, e.g. `over 3, up to 7`."""
    words = _WORDS[locale]
    if cell == scale.missing:
        return words["missing"]
    if scale.levels is not None:
        level = scale.levels[cell]
        known = (features[scale.feature].levels or {}).get(level)
        return known[locale] if known else level
    if cell == len(scale.upto):
        return words["above"].format(_number(scale.upto[-1]))
    upper = scale.upto[cell]
    if cell == 0:
        return words["exact" if upper == 0 else "upto"].format(_number(upper))
    return words["between"].format(_number(scale.upto[cell - 1]), _number(upper))


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < 1_000 else f"{value:.0f}"


def level_of(scale: Scale, cell: int) -> str | None:
    """Return the code of a category's level; None for numbers and for what is missing."""
    if scale.levels is None or cell == scale.missing:
        return None
    return scale.levels[cell]
