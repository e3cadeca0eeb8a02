"""What an index looks like: analysis by language, fields, and a name for the whole."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from retrieval.models import LANGUAGES, Language
from retrieval.stores.terms import LENGTH_WEIGHT, TERM_SATURATION

_ANALYSIS = Path(__file__).with_name("analysis")
_WORDS = "words"

#: Deleted chunks are remembered for longer than any request may be under way, so that a late one
#: does not bring them back.
_REMEMBER_DELETED = "1h"

_SETTINGS: Mapping[str, Any] = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    "gc_deletes": _REMEMBER_DELETED,
    "similarity": {_WORDS: {"type": "BM25", "k1": TERM_SATURATION, "b": LENGTH_WEIGHT}},
}

_KEYWORDS = ("document_id", "slug", "audience", "topic", "embedder")
_DAYS = ("valid_from", "valid_to")
_FIELDS: Mapping[str, Any] = {
    **{name: {"type": "keyword"} for name in _KEYWORDS},
    **{name: {"type": "date", "format": "strict_date"} for name in _DAYS},
    "text": {"type": "text", "analyzer": _WORDS, "similarity": _WORDS},
}

#: Plain floats in the graph: newer servers would else keep them in bits, and scores are calibrated.
_VECTOR: Mapping[str, Any] = {
    "type": "dense_vector",
    "index": True,
    "similarity": "max_inner_product",
    "index_options": {"type": "hnsw", "m": 16, "ef_construction": 128},
}


def index_settings(language: Language) -> dict[str, Any]:
    """Return the settings of an index for texts in a language."""
    return {**_SETTINGS, "analysis": _analysis(language)}


def index_mappings(generation: int, dimensions: int | None) -> dict[str, Any]:
    """Return the fields of an index.

    Args:
        dimensions: of its vectors; None while there are none.
    """
    vector = {**_VECTOR, **({"dims": dimensions} if dimensions else {})}
    return {
        "dynamic": "strict",
        "_meta": {"generation": generation, "shape": shape_id()},
        # PostgreSQL has both: here they are only searched.
        "_source": {"excludes": ["text", "embedding"]},
        "properties": {**_FIELDS, "embedding": vector},
    }


@cache
def shape_id() -> str:
    """Name what indexes look like; when it changes they are built anew."""
    whole = [_SETTINGS, _FIELDS, _VECTOR, {lang: _analysis(lang) for lang in LANGUAGES}]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:12]


@cache
def _analysis(language: Language) -> dict[str, Any]:
    # As PostgreSQL reads texts (`search_vector`): folded, without its stop words, stemmed.
    analysis: dict[str, Any] = json.loads((_ANALYSIS / f"{language}.json").read_text("utf-8"))
    return analysis
