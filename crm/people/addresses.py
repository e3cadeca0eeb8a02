"""How addresses and names are written down, so that equal ones compare equal: pure rules."""

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from crm.errors import RuleBroken

NAME_MAX = 120
_SPACE = re.compile(r"\s+")
#: Control, format, surrogate, private and unassigned characters: none belongs into a name.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def normalise_name(raw: str) -> str:
    """Return a name in composed form, without invisible characters or repeated spaces.

    Raises: RuleBroken("person.name"): empty, longer than `NAME_MAX`, or without a letter.
    """
    composed = _SPACE.sub(" ", unicodedata.normalize("NFC", raw))
    # Removing an invisible character can bring two others together: compose and trim once more.
    kept = "".join(c for c in composed if unicodedata.category(c) not in _UNWANTED)
    name = _SPACE.sub(" ", unicodedata.normalize("NFC", kept)).strip()
    if not any(c.isalpha() for c in name) or len(name) > NAME_MAX:
        raise RuleBroken("person.name", f"A name has 1 to {NAME_MAX} characters, with letters.")
    return name


def normalise_email(raw: str) -> str:
    """Return an e-mail address in lower case, its domain in Unicode; asks no name server.

    Raises: RuleBroken("person.email"): not an address that the internet could deliver to.
    """
    try:
        found = validate_email(raw.strip(), check_deliverability=False)
    except EmailNotValidError as broken:
        raise RuleBroken("person.email", "This is not a valid e-mail address.") from broken
    return unicodedata.normalize("NFC", found.normalized.lower())


def normalise_phone(raw: str, region: str) -> str:
    """Return a phone number in E.164.

    Args:
        region: ISO 3166 code that a number without a country code belongs to.
    Raises: RuleBroken("person.phone"): no such number can exist.
    """
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException as broken:
        raise RuleBroken("person.phone", "This is not a valid phone number.") from broken
    if not phonenumbers.is_valid_number(number):
        raise RuleBroken("person.phone", "This is not a valid phone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
