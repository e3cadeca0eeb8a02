"""Equal names and addresses are written alike, and what is none is refused."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.people.addresses import NAME_MAX, normalise_email, normalise_name, normalise_phone

_LOCAL = st.from_regex(r"[a-z0-9]{1,10}(\.[a-z0-9]{1,8})?", fullmatch=True)
_DOMAIN = st.from_regex(r"[a-z]{2,8}\.(com|edu|org|example)", fullmatch=True)


def _accepted(normalise: Callable[[str], str], raw: str, code: str) -> str | None:
    """Return what a rule makes of what was typed; None where it refuses with its code."""
    try:
        return normalise(raw)
    except RuleBroken as refused:
        if refused.code != code:
            raise
        return None


@given(st.text(max_size=NAME_MAX))
def test_name_is_clean_composed_and_stays_so(raw: str) -> None:
    name = _accepted(normalise_name, raw, "person.name")
    if name is None:
        return

    assert name == normalise_name(name)
    assert name == unicodedata.normalize("NFC", name) == name.strip()
    assert "  " not in name
    assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in name)
    assert any(c.isalpha() for c in name)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("  Ana   María\tPérez ", "Ana María Pérez"),
        ("Jose\u0301", "José"),
        ("Ana\u200bMaría", "AnaMaría"),
        ("\u202eAna\u202c", "Ana"),
        ("Ana\0", "Ana"),
        ("O'Brien-Núñez Jr.", "O'Brien-Núñez Jr."),
        ("李小龙", "李小龙"),
    ],
)
def test_name(raw: str, name: str) -> None:
    assert normalise_name(raw) == name


@pytest.mark.parametrize("raw", ["", "  ", "123", "\u200b", "🙂", "a" * (NAME_MAX + 1)])
def test_what_is_no_name(raw: str) -> None:
    with pytest.raises(RuleBroken, match=r"person\.name"):
        normalise_name(raw)


@given(_LOCAL, _DOMAIN, st.data())
def test_email_is_the_same_in_any_case(local: str, domain: str, data: st.DataObject) -> None:
    address = f"{local}@{domain}"
    assume(not local.startswith("xn--"))
    upper = data.draw(st.lists(st.booleans(), min_size=len(address), max_size=len(address)))
    typed = "".join(c.upper() if u else c for c, u in zip(address, upper, strict=True))

    assert normalise_email(f" {typed} ") == address
    assert normalise_email(normalise_email(typed)) == normalise_email(typed)


def test_domain_is_written_in_unicode_whichever_way_it_came() -> None:
    assert normalise_email("a@xn--caf-dma.com") == normalise_email("a@CAFÉ.com") == "a@café.com"


@given(st.text(max_size=60))
def test_whatever_is_typed_is_an_address_or_refused(raw: str) -> None:
    address = _accepted(normalise_email, raw, "person.email")
    assert address is None or normalise_email(address) == address


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "ana",
        "ana@",
        "@b.com",
        "a b@c.com",
        "ana@localhost",
        "Ana <a@b.com>",
        "a@b.com,c@d.com",
        "a@" + "b" * 250 + ".com",
        "a\0@b.com",
        "a@b..com",
    ],
)
def test_what_is_no_email(raw: str) -> None:
    with pytest.raises(RuleBroken, match=r"person\.email"):
        normalise_email(raw)


@pytest.mark.parametrize(
    ("raw", "region", "phone"),
    [
        ("987 654 321", "PE", "+51987654321"),
        ("+51 (987) 654-321", "CO", "+51987654321"),
        ("0051987654321", "PE", "+51987654321"),
        ("55 1234 5678", "MX", "+525512345678"),
        ("+1 202 555 0143", "PE", "+12025550143"),
    ],
)
def test_phone(raw: str, region: str, phone: str) -> None:
    assert normalise_phone(raw, region) == phone
    assert normalise_phone(phone, "US") == phone


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_phone_or_refused(raw: str) -> None:
    phone = _accepted(lambda typed: normalise_phone(typed, "PE"), raw, "person.phone")
    assert phone is None or normalise_phone(phone, "US") == phone


@pytest.mark.parametrize("raw", ["", "12", "abc", "+51 1", "9876543210987654321", "+999 123456"])
def test_what_is_no_phone(raw: str) -> None:
    with pytest.raises(RuleBroken, match=r"person\.phone"):
        normalise_phone(raw, "PE")
