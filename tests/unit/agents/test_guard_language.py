"""Only what is surely in a third language is told so: never our own texts."""

from pathlib import Path

import pytest
import yaml

from agents.runtime.brief import INSTRUCTIONS, Brief
from agents.runtime.guards.instructions import repeats, runs_of
from agents.runtime.guards.language import is_foreign, unquoted
from agents.runtime.guards.sentences import sentences_of
from agents.runtime.policy import SHIPPED_POLICY
from agents.student_support import graph as student_support
from tests.unit.agents.scripted import INSTITUTION, NOW, ZONE

DEMO = Path("api/demo/institution")


def own_sentences() -> list[str]:
    """Return all that the demo's documents and catalogue say."""
    texts = [f.read_text(encoding="utf-8") for f in sorted(DEMO.glob("knowledge/*/*.md"))]
    for name in ("courses", "programmes", "scholarships"):
        for row in yaml.safe_load((DEMO / f"{name}.yaml").read_text(encoding="utf-8")):
            for value in row.values():
                texts += [str(v) for v in value.values()] if isinstance(value, dict) else []
    return [sentence for text in texts for sentence in sentences_of(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Das Studium beginnt am Montag und kostet neunundachtzig Dollar im Monat.",
        "O curso começa na segunda-feira e custa oitenta e nove dólares por mês para todos.",
        "这门课程的价格是八十九美元，下周一开始上课，你想现在报名吗？如果想报名请告诉我你的名字和电话。",
    ],
)
def test_third_language_is_recognised(text: str) -> None:
    assert is_foreign(text)


def test_nothing_of_ours_is_foreign() -> None:
    sentences = own_sentences()
    assert len(sentences) > 800
    assert [s for s in sentences if is_foreign(s)] == []


def test_quotation_may_be_in_any_language() -> None:
    quoted = "Das Studium beginnt am Montag und kostet neunundachtzig Dollar im Monat."
    assert not is_foreign(f"El documento dice: “{quoted}”")
    assert quoted not in unquoted(f"El documento dice: “{quoted}”")


@pytest.mark.parametrize("locale", ["es", "en"])
def test_nothing_of_ours_repeats_the_instructions(locale: str) -> None:
    brief = Brief(
        locale=locale,  # type: ignore[arg-type]
        now=NOW,
        time_zone=ZONE,
        institution=INSTITUTION,
        identity_level="visitor",
        new_messages=1,
        memory={"summary": "una matrícula en un curso de datos que empieza el lunes próximo"},
    )
    message = student_support.INSTRUCTIONS.message(brief, SHIPPED_POLICY)
    private = runs_of(message.additional_kwargs[INSTRUCTIONS])
    assert [s for s in own_sentences() if repeats(s, private)] == []
    assert repeats(str(message.content)[200:400], private)
    assert not repeats(str(brief.memory["summary"]), private)
