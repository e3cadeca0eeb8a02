"""Names the indexes: one a corpus and generation, behind one alias a corpus."""

from itertools import product
from typing import get_args

from retrieval.models import LANGUAGES, Kind, Language

Corpus = tuple[Kind, Language]

#: A corpus has an index of its own: BM25's rarities and mean lengths are an index's, and a graph
#: of vectors without the other corpora needs no filter for them.
CORPORA: tuple[Corpus, ...] = tuple(product(get_args(Kind), LANGUAGES))


def alias_of(prefix: str, corpus: Corpus) -> str:
    """Return what is searched."""
    return f"{prefix}-{'-'.join(corpus)}"


def index_of(prefix: str, corpus: Corpus, generation: int) -> str:
    """Return what is written."""
    return f"{alias_of(prefix, corpus)}-{generation}"
