"""What a dry run remembers between batches, where a real run would find the rows themselves."""

from collections.abc import Mapping
from typing import TypeVar

from crm.db import UnitOfWork
from crm.ids import INSTITUTION
from crm.imports import store
from crm.imports.importer import Batch
from crm.imports.models import Outcome

K = TypeVar("K")


async def met_before(
    uow: UnitOfWork, batch: Batch, words: Mapping[K, str], outcome: Outcome
) -> dict[K, bytes]:
    """Return which of these an earlier batch of a dry run met, and note that this one meets them.

    Args:
        words: what stands for each; only its digest is kept.
    Returns: the digests of those that were met; nothing in a real run.
    """
    if not batch.is_trial:
        return {}
    key = await uow.key(INSTITUTION)
    assert key is not None, "the institution is not erased"  # noqa: S101
    digests = {name: key.digest(word.encode()) for name, word in words.items()}
    met = await store.select_met(uow.conn, batch.import_id, list(digests.values()))
    outcome.met.extend(digests.values())
    return {name: digest for name, digest in digests.items() if digest in met}
