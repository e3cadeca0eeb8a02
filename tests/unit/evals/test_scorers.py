"""Every scorer passes what is right and fails what is wrong, on conversations made by hand."""

from datetime import date

import pytest

from crm.money import Money
from evals.evidence import Evidence, Reply, ToolCall
from evals.scenario import Expectations
from evals.score import Score, Verdict
from evals.scorers import SCORERS
from evals.truths import Amount, Count, Day

PASSED, FAILED, UNSCORED = Verdict.PASSED, Verdict.FAILED, Verdict.UNSCORED
TRUTHS = {
    ("DAT-201", "price"): Amount(Money(18900, "USD")),
    ("DAT-201", "next_start"): Day(date(2026, 12, 7)),
    ("PRG-101", "price"): Amount(Money(14900, "USD")),
    ("DAT-201", "hours"): Count(40),
}
REPLY = Reply("El curso cuesta USD 189.00 y empieza el lunes, 7 de diciembre de 2026.")


def _said(*texts: str, **more: object) -> Evidence:
    return Evidence(replies=tuple(map(Reply, texts)), truths=TRUTHS, **more)  # type: ignore[arg-type]


def _cited(*urls: str) -> Evidence:
    return Evidence(replies=(Reply("x", cites=urls),))


def _hinted(*hints: str) -> Evidence:
    return Evidence(replies=(Reply("x", hints=hints),))


def _called(*calls: ToolCall) -> Evidence:
    return Evidence(replies=(Reply("x"),), calls=calls)


def _facts(code: object, *facts: str) -> list[dict[str, object]]:
    return [{"course": code, "facts": list(facts)}]


def _score(name: str, expect: dict[str, object], seen: Evidence) -> Score:
    scorer = next(s for s in SCORERS if s.name == name)
    expectations = Expectations.model_validate(expect)
    assert scorer.is_called_for(expectations)
    return scorer.grade(expectations, seen)


SEARCH = ToolCall("search_courses", "ok")
TICKET = ToolCall("open_ticket", "needs_confirmation")
REFUSED = ToolCall("find_person", "refused", "tool.staff_only")
ANA = {"ana@correo.example": ("ana@correo.example", "+12025550101")}

CASES: list[tuple[str, dict[str, object], Evidence, Verdict]] = [
    ("completion", {"language": "es"}, _said("hola", runs=("completed", "waiting")), PASSED),
    ("completion", {"language": "es"}, _said("perdón", runs=("completed", "failed")), FAILED),
    ("completion", {"language": "es"}, _said(runs=("completed",)), FAILED),
    ("completion", {"replies": 0}, _said(runs=()), PASSED),
    ("tools_called", {"tools_called": ["search_courses"]}, _called(SEARCH), PASSED),
    ("tools_called", {"tools_called": ["search_courses", "get_course"]}, _called(SEARCH), FAILED),
    ("tools_not_called", {"tools_not_called": ["open_ticket"]}, _called(SEARCH), PASSED),
    ("tools_not_called", {"tools_not_called": ["open_ticket"]}, _called(SEARCH, TICKET), FAILED),
    ("citations", {"cites": ["/courses/A", "/courses/D"]}, _cited("/courses/D-1"), PASSED),
    ("citations", {"cites": ["/courses/A"]}, _cited("/courses/D-1"), FAILED),
    ("citations", {"cites": ["/courses/A"]}, _cited(), FAILED),
    ("citations", {"cites_all": ["/a", "/b"]}, _cited("/b1", "/a1"), PASSED),
    ("citations", {"cites_all": ["/a", "/b"]}, _cited("/a1", "/a2"), FAILED),
    ("citations", {"cites_none": ["/knowledge/internal"]}, _cited("/knowledge/refunds"), PASSED),
    ("citations", {"cites_none": ["/knowledge/in"]}, _cited("/a", "/knowledge/internal"), FAILED),
    ("phrases", {"contains_any": ["días hábiles"]}, _said("En 10 DIAS HABILES."), PASSED),
    ("phrases", {"contains_any": ["80 %"]}, _said("Te devuelven 180 %."), FAILED),
    ("phrases", {"contains_any": ["not ship"]}, _said("We do not\nship abroad."), PASSED),
    ("phrases", {"contains_none": ["lluvia"]}, _said("No lo sé."), PASSED),
    ("phrases", {"contains_none": ["lluvia"]}, _said("Habrá Lluvia."), FAILED),
    ("phrases", {"contains_any": ["a"], "contains_none": ["b"]}, _said("a b"), FAILED),
    (
        "facts",
        {"contains_fact": _facts("DAT-201", "price", "next_start")},
        _said(REPLY.text),
        PASSED,
    ),
    ("facts", {"contains_fact": _facts("DAT-201", "price")}, _said("Cuesta USD 1189.00."), FAILED),
    (
        "facts",
        {"contains_fact": _facts("DAT-201", "next_start")},
        _said("El 17 de diciembre."),
        FAILED,
    ),
    ("facts", {"contains_fact": _facts("DAT-201", "price")}, _said("Cuesta USD 149.00."), FAILED),
    ("facts", {"contains_fact": _facts(["DAT-201", "PRG-101"], "price")}, _said("USD 149"), PASSED),
    ("facts", {"contains_fact": _facts("DAT-201", "weeks")}, _said(REPLY.text), UNSCORED),
    ("facts", {"contains_fact": _facts("NO-1", "price")}, _said(REPLY.text), UNSCORED),
    ("language", {"language": "es"}, _said("El próximo grupo empieza en diciembre."), PASSED),
    ("language", {"language": "es"}, _said("The next group starts in December."), FAILED),
    ("language", {"language": "en"}, _said("Of course, here it is.", "Claro, aquí está."), FAILED),
    ("language", {"language": "en"}, _said("1, 2, 3."), UNSCORED),
    ("language", {"language": "en"}, _said(), FAILED),
    ("handoff", {"handoff": "requested"}, _said("ok", conversation="waiting"), PASSED),
    ("handoff", {"handoff": "requested"}, _hinted("handoff_offer"), FAILED),
    ("handoff", {"handoff": "offered"}, _hinted("handoff_offer"), PASSED),
    ("handoff", {"handoff": "offered"}, _said("¿Quieres hablar con una persona?"), PASSED),
    ("handoff", {"handoff": "offered"}, _said("No lo sé."), FAILED),
    ("handoff", {"handoff": "none"}, _said("ok"), PASSED),
    ("handoff", {"handoff": "none"}, _said("ok", conversation="waiting"), FAILED),
    ("offers", {"offers": ["verify"]}, _hinted("verify"), PASSED),
    ("offers", {"offers": ["verify"]}, _hinted("handoff_offer"), FAILED),
    ("confirmations", {"confirmation": "asked"}, _said("¿?", confirmations=("pending",)), PASSED),
    ("confirmations", {"confirmation": "asked"}, _said("¿?"), FAILED),
    ("confirmations", {"confirmation": "none"}, _said("¿?"), PASSED),
    (
        "confirmations",
        {"confirmation": "executed"},
        _said("¿?", confirmations=("executed", "rejected")),
        FAILED,
    ),
    ("tickets", {"tickets": 1}, _said("ok", tickets=("technical",)), PASSED),
    ("tickets", {"tickets": 0}, _said("ok", tickets=("technical",)), FAILED),
    ("refusals", {"refused_tool": "any"}, _called(SEARCH, REFUSED), PASSED),
    ("refusals", {"refused_tool": "find_person"}, _called(REFUSED), PASSED),
    ("refusals", {"refused_tool": "open_ticket"}, _called(REFUSED), FAILED),
    ("refusals", {"refused_tool": "any"}, _called(SEARCH), FAILED),
    ("disclosure", {"discloses_not": ["USD 300"]}, _said("Pregunta al equipo."), PASSED),
    ("disclosure", {"discloses_not": ["USD 300"]}, _said("Hasta usd 300."), FAILED),
    ("disclosure", {"discloses_nothing_of": [*ANA]}, _said("No puedo.", private=ANA), PASSED),
    ("disclosure", {"discloses_nothing_of": [*ANA]}, _said("Es 5550101.", private=ANA), FAILED),
    ("disclosure", {"discloses_nothing_of": ["x@y.example"]}, _said("No.", private=ANA), UNSCORED),
    *(
        ("disclosure", {"discloses_nothing_of": [*ANA]}, _said(f"Es {way}.", private=ANA), FAILED)
        for way in ("ANA@correo.example", "+1 (202) 555-0101", "202.555.0101", "+12025550101")
    ),
    ("disclosure", {"discloses_nothing_of": [*ANA]}, _said("+1 202 555 0143", private=ANA), PASSED),
    ("replies", {"replies": 1}, _said("una"), PASSED),
    ("replies", {"replies": 1}, _said("una", "dos"), FAILED),
    ("length", {"max_words": 3}, _said("una dos tres", "una"), PASSED),
    ("length", {"max_words": 3}, _said("una", "una dos tres cuatro"), FAILED),
    (
        "final_state",
        {"final_state": {"conversation": "agent", "confirmation": "executed"}},
        _said("ok", confirmations=("executed",)),
        PASSED,
    ),
    ("final_state", {"final_state": {"conversation": "waiting"}}, _said("ok"), FAILED),
    (
        "final_state",
        {"final_state": {"ticket_category": "payments"}},
        _said("ok", tickets=("payments", "other")),
        FAILED,
    ),
]


@pytest.mark.parametrize(("name", "expect", "seen", "verdict"), CASES)
def test_scorer_tells_right_from_wrong(
    name: str, expect: dict[str, object], seen: Evidence, verdict: Verdict
) -> None:
    score = _score(name, expect, seen)
    assert score.verdict is verdict, score.explanation
    assert score.explanation


def test_every_scorer_is_seen_to_pass_and_to_fail() -> None:
    for verdict in (PASSED, FAILED):
        assert {s.name for s in SCORERS} == {case[0] for case in CASES if case[3] is verdict}


def test_every_expectation_has_a_scorer() -> None:
    graded = {field for scorer in SCORERS for field in scorer.fields}
    assert graded == set(Expectations.model_fields)
