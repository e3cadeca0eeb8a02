"""Pages to ingest, in both languages; the same count gives the same pages."""

import random
from pathlib import Path

SEED = 20
_WORDS = {
    "es": (
        "la matrícula el curso los estudiantes una beca el pago por cuotas la secretaría el plazo"
        " un certificado las prácticas el reglamento la devolución del docente en marzo para todos"
    ).split(),
    "en": (
        "the enrolment a course students one scholarship payment by instalments the office"
        " deadline a certificate internships the rules refund of teachers in march for everybody"
    ).split(),
}


def write_pages(folder: Path, count: int) -> None:
    """Write pages, every other one in English."""
    chance = random.Random(SEED)  # noqa: S311 (no secret)
    for number in range(count):
        language = "es" if number % 2 else "en"
        place = folder / language / f"{number // 500:03}"
        place.mkdir(parents=True, exist_ok=True)
        text = "\n\n".join(_section(chance, language, n) for n in range(2))
        (place / f"page-{number:05}.md").write_text(
            f"# Page {number}\n\n{text}\n", encoding="utf-8"
        )


def _section(chance: random.Random, language: str, number: int) -> str:
    words = " ".join(chance.choices(_WORDS[language], k=25))
    return f"## Part {number} {chance.randrange(10**6)}\n\n{words.capitalize()}."
