"""A recommender as bytes: arrays of courses, read without running anything."""

import io

import numpy as np

from retrieval.recommend.blend import Blend
from retrieval.recommend.paths import Paths
from retrieval.recommend.recommender import Recommender

#: Above it something is wrong: 1,500 learnt courses make about 11 MB.
MAX_BYTES = 32 * 1024 * 1024


def pack(recommender: Recommender) -> bytes:
    """Return a recommender as bytes.

    Raises: ValueError: larger than `MAX_BYTES`.
    """
    arrays = {
        "codes": np.array(recommender.codes, dtype=np.str_),
        "popularity": recommender.popularity.astype(np.float32),
        "texts": recommender.texts.astype(np.float32),
        "learnt": np.array(recommender.learnt, np.int32),
    }
    if (blend := recommender.blend) is not None:
        arrays |= {
            "associations": blend.associations,
            "path_items": blend.paths.log_items,
            "path_weights": blend.paths.log_weights,
            "weight": np.array(blend.weight, np.float32),
        }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    if buffer.tell() > MAX_BYTES:
        raise ValueError(f"a recommender of {buffer.tell()} bytes is too large")
    return buffer.getvalue()


def unpack(packed: bytes, *, version: int) -> Recommender:
    """Return the recommender of these bytes."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        blend = None
        if "associations" in arrays:
            paths = Paths(arrays["path_items"], arrays["path_weights"])
            blend = Blend(arrays["associations"], paths, float(arrays["weight"]))
        return Recommender(
            version=version,
            codes=tuple(map(str, arrays["codes"])),
            popularity=arrays["popularity"],
            texts=arrays["texts"],
            learnt=tuple(map(int, arrays["learnt"])),
            blend=blend,
        )
