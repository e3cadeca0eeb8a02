"""Normalises what people type and names headings."""

import re
import unicodedata

MAX_QUERY_CHARS = 1_000
_ANCHOR_CHARS = 64

#: Words of courtesy and of asking: they say nothing about what is looked for.
_ASKING = frozenset(
    """
    hola buenas buenos dias tardes noches gracias favor porfa porfavor quisiera quiero querria
    necesito saber sabes decir dime digas puedo puede puedes podria podrias pueden hacer hago hace
    hacen hay tengo tiene tienen tener debo debe deben cual cuales cuanto cuanta cuantos cuantas
    cuando donde como que quien quienes por para sobre si no mi mis me te se les ustedes usted
    ayudame ayudar info informacion pregunta duda consulta gustaria
    hello hi hey please thanks thank want wanted would like need know tell can could may might
    do does did i my me you your we us is are was be am there how what when where which who whom
    much many long get have has had any some information question about if let
    """.split()
)
#: Words that only join others.
_JOINING = frozenset(
    """
    el la los las lo un una unos unas de del al y e o u ni en con sin a ante bajo desde entre hacia
    hasta segun sobre tras es son ser esta estan este esta estos estas ese esa eso mas muy ya su sus
    le nos porque pero cada todo toda todos todas otro otra the an and or nor but of in on at by to
    from with without into onto about over under for as it its this that these those they them their
    been being will shall not no only also than then so such each all any both more most other
    """.split()
)
_WORD = re.compile(r"[^\W_]+", re.UNICODE)


def fold(text: str) -> str:
    """Lower the case and take the accents away."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def normalise_query(query: str) -> str:
    """Compose characters, drop control characters, collapse spaces, cut at 1,000 characters."""
    composed = unicodedata.normalize("NFC", query)
    return " ".join(printable(composed).split())[:MAX_QUERY_CHARS]


def printable(text: str) -> str:
    """Put spaces for what no server takes: control characters and halves of surrogate pairs."""
    return "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded."""
    return _WORD.findall(fold(text))


def content_words(query: str) -> str:
    """Return a query without words of courtesy and of asking, or whole if nothing is left."""
    kept = [w for w in _WORD.findall(query) if fold(w) not in _ASKING]
    return " ".join(kept) or query


def telling_words(text: str) -> list[str]:
    """Return the words of a text that say what it is about, folded, each once."""
    words = (w for w in words_of(text) if len(w) > 1 and w not in _ASKING | _JOINING)
    return list(dict.fromkeys(words))


def slugify(heading: str) -> str:
    """Turn a heading into an id for a page."""
    slug = re.sub(r"[^a-z0-9]+", "-", fold(heading)).strip("-")
    return slug[:_ANCHOR_CHARS].rstrip("-") or "section"


class Anchors:
    """Gives each heading of one document an id that is its own."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, heading: str) -> str:
        """Return the id of the next heading."""
        base = slugify(heading)
        anchor, n = base, 1
        while anchor in self._taken:
            n += 1
            anchor = f"{base}-{n}"
        self._taken.add(anchor)
        return anchor
