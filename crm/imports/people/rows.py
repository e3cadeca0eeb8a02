"""What a line about a person says, and who it is about: pure rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from crm.errors import RuleBroken
from crm.imports.models import Field, Line, Outcome
from crm.people.models import normalise_facts

FIELDS = (
    Field(
        "full_name", ("name", "nombre", "nombre_completo", "nombres_y_apellidos", "student"), True
    ),
    Field("email", ("e_mail", "mail", "correo", "correo_electronico", "email_address")),
    Field("phone", ("telefono", "celular", "movil", "mobile", "whatsapp", "phone_number")),
    Field("locale", ("language", "idioma", "lengua")),
    Field("time_zone", ("zona_horaria", "timezone")),
    Field("birth_date", ("fecha_de_nacimiento", "nacimiento", "date_of_birth", "birthday")),
)
_NAMES = frozenset(field.name for field in FIELDS)
_LOCALES = {"es": "es", "spanish": "es", "espanol": "es", "español": "es", "castellano": "es"} | {
    "en": "en",
    "english": "en",
    "ingles": "en",
    "inglés": "en",
}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A readable line; facts are normalised, and only those that the line holds."""

    number: int
    facts: Mapping[str, Any]

    @property
    def email(self) -> str | None:
        """Return the normalised address, if the line holds one."""
        return self.facts.get("email")

    @property
    def phone(self) -> str | None:
        """Return the normalised number, if the line holds one."""
        return self.facts.get("phone")


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who is there already, as far as telling them apart needs."""

    id: UUID
    email: str | None
    phone: str | None


def read_row(line: Line, *, region: str, today: date) -> PersonRow:
    """Return what a line says.

    Raises: RuleBroken: `person.name`, `.email`, `.phone`, `.time_zone`, `.birth_date`, `.locale`,
        `.address` (neither e-mail nor phone: nobody could tell them from others).
    """
    given: dict[str, Any] = {n: text for n, text in line.cells.items() if text and n in _NAMES}
    if not given.get("full_name"):
        raise RuleBroken("person.name", "The name is missing.")
    if not given.keys() & {"email", "phone"}:
        raise RuleBroken("person.address", "There is neither an e-mail address nor a phone number.")
    if "locale" in given:
        given["locale"] = _locale(given["locale"])
    if "birth_date" in given:
        given["birth_date"] = read_date(given["birth_date"])
    return PersonRow(line.number, normalise_facts(given, region=region, today=today))


def _locale(text: str) -> str:
    try:
        return _LOCALES[text.strip().lower()]
    except KeyError:
        raise RuleBroken("person.locale", "The language is neither es nor en.") from None


def read_date(text: str) -> date:
    """Return a date written as 2001-12-31 or, as Spanish speakers do, 31/12/2001.

    Raises: RuleBroken("person.birth_date").
    """
    try:
        if "/" in text:
            day, month, year = text.split("/")
            return date(int(year), int(month), int(day))
        return date.fromisoformat(text)
    except ValueError:
        message = "A date is written as 2001-12-31 or 31/12/2001."
        raise RuleBroken("person.birth_date", message) from None


class Directory:
    """Who is known by which address, before a batch and, as it is gone through, within it."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._by_email: dict[str, UUID] = {}
        self._by_phone: dict[str, UUID] = {}
        for each in known:
            self.add(each)

    def add(self, known: Known) -> None:
        """Note somebody; the first with an address keeps it."""
        if known.email:
            self._by_email.setdefault(known.email, known.id)
        if known.phone:
            self._by_phone.setdefault(known.phone, known.id)

    def find(self, row: PersonRow) -> UUID | None:
        """Return whom a line is about, or None for somebody new.

        Raises: RuleBroken("person.ambiguous"): its e-mail is one person's, its phone another's.
        """
        by_email = self._by_email.get(row.email or "")
        by_phone = self._by_phone.get(row.phone or "")
        if by_email and by_phone and by_email != by_phone:
            message = "The e-mail address is one person's, the phone number another's."
            raise RuleBroken("person.ambiguous", message)
        return by_email or by_phone


def read_rows(
    lines: Iterable[Line], outcome: Outcome, *, region: str, today: date
) -> list[PersonRow]:
    """Return the readable lines; the others are noted in the outcome."""
    rows: list[PersonRow] = []
    for line in lines:
        try:
            rows.append(read_row(line, region=region, today=today))
        except RuleBroken as broken:
            outcome.refuse(line.number, broken, _FIELD_OF.get(broken.code))
    return rows


_FIELD_OF = {
    f"person.{name}": name for name in ("email", "phone", "locale", "time_zone", "birth_date")
}
_FIELD_OF["person.name"] = "full_name"
