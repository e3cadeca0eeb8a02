"""Identifiers that follow from a seed, so that the same data is recognised when it comes again."""

import hashlib
from enum import IntEnum
from functools import lru_cache


class Kind(IntEnum):
    """What an identifier names; at most 255 kinds fit."""

    PERSON = 1
    CONSENT = 2
    CONVERSATION = 3
    MESSAGE = 4
    TICKET = 5
    TICKET_EVENT = 6
    COHORT = 7
    ENROLMENT = 8
    HANDOFF = 9
    LEAD = 10
    LEAD_STAGE = 11
    ACTIVITY = 12
    TASK = 13
    INVOICE = 14
    PAYMENT = 15
    REFUND = 16
    CREDIT_NOTE = 17
    LEDGER_TRANSACTION = 18
    WAITLIST_ENTRY = 19
    APPLICATION = 20


def seeded_id(seed: int, kind: Kind, index: int, number: int = 0) -> str:
    """Return a UUIDv8 for the nth thing of a kind that belongs to the student of this index.

    Those of one seed and kind ascend with the index, which keeps an index of them compact.
    """
    prefix, suffix = _seed_parts(seed)
    return (
        f"{prefix:04x}{index >> 16 & 0xFFFF:04x}-{index & 0xFFFF:04x}-8{kind & 15:x}{kind >> 4:x}0-"
        f"{0x8000 | number & 0x3FFF:04x}-{suffix}"
    )


@lru_cache(maxsize=8)
def _seed_parts(seed: int) -> tuple[int, str]:
    digest = hashlib.sha256(f"orienta demo {seed}".encode()).hexdigest()
    return int(digest[:4], 16), digest[4:16]
