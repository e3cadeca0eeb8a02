"""A typed yes or no decides; anything more is a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.messaging.confirmations.models import typed_decision


@pytest.mark.parametrize(
    "text", ["sí", "Si", "SÍ!", "sii", "ok", "dale", "Sí, por favor", "yes", "Yes please.", "claro"]
)
def test_plain_yes_accepts(text: str) -> None:
    assert typed_decision(text) == "accept"


@pytest.mark.parametrize("text", ["no", "No, gracias", "no thanks", "cancela", "mejor no", "Nope."])
def test_plain_no_rejects(text: str) -> None:
    assert typed_decision(text) == "reject"


@pytest.mark.parametrize(
    "text",
    [
        "sí, pero cambia el título",
        "yes and also tell me the price",
        "no sé",
        "si me inscribo hoy, ¿hay descuento?",
        "ok ok pero antes dime cuánto cuesta",
        "¿sí o no?",
        "no entiendo",
        "",
        "confirmo que no quiero",
    ],
)
def test_more_than_a_plain_word_decides_nothing(text: str) -> None:
    assert typed_decision(text) is None


@given(st.text(max_size=200))
def test_no_text_breaks_the_rule(text: str) -> None:
    assert typed_decision(text) in {"accept", "reject", None}


@given(st.sampled_from(["sí", "yes", "no", "ok"]), st.text(alphabet="abcdefgh ", min_size=8))
def test_a_word_followed_by_others_never_approves(word: str, rest: str) -> None:
    if rest.strip():
        assert typed_decision(f"{word} {rest}") is None
