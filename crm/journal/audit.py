"""What an audit record says, and how records chain: pure rules, no I/O."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from crm.actor import Actor

Effect = Literal["READ", "WRITE", "MONEY", "OUTBOUND", "NONE"]
ChainKind = Literal["conversation", "batch"]
Outcome = Literal["ok", "refused", "failed", "needs_confirmation", "aborted"]

GENESIS = bytes(32)
#: What a stored record says beside its sealed payload, in the order in which it is written out.
AUDIT_COLUMNS = (
    "id",
    "chain_id",
    "seq",
    "occurred_at",
    "actor_kind",
    "actor_level",
    "actor_role",
    "staff_id",
    "person_id",
    "subject_id",
    "agent",
    "model",
    "prompt_version",
    "action",
    "action_version",
    "effect",
    "outcome",
    "decision",
    "error_code",
    "conversation_id",
    "run_id",
    "step",
    "call_index",
    "approval_id",
    "effect_key",
    "arguments_digest",
    "tokens_in",
    "tokens_out",
    "cost_micros",
    "latency_ms",
    "prev_hash",
    "hash",
)
#: Staff, webhooks and logins spread over this many chains, so that none is a bottleneck.
SHARDS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing somebody did or tried, before it is sealed into its chain.

    Args:
        actor: who, with the agent that acted for them.
        action: a tool's name (`open_ticket`) or a use case (`staff.login`).
        effect: what kind of change it is.
        outcome: how it ended.
        decision: the policy's word, e.g. `allowed`, `identity.level`, `approval.student`.
        payload: field → JSON value, sealed with the key of `about` (default: the actor's subject).
        arguments: as the caller gave them; sealed, and digested under the same key.
        about: subject whose data the payload holds, if not the actor's own.
        people: whose records this read shows; noted in the access log.
        others: field → subject, for payload fields that are about somebody else.
        chain_id: the conversation or batch; None files it under the actor's shard.
        effect_key: at most one `ok` record may carry it.
    """

    actor: Actor
    action: str
    effect: Effect
    outcome: Outcome
    decision: str
    action_version: int = 1
    payload: Mapping[str, object] = field(default_factory=dict)
    arguments: Mapping[str, object] | None = None
    about: UUID | None = None
    people: tuple[UUID, ...] = ()
    others: Mapping[str, UUID] = field(default_factory=dict)
    chain_id: UUID | None = None
    chain_kind: ChainKind = "conversation"
    conversation_id: UUID | None = None
    run_id: UUID | None = None
    step: int | None = None
    call_index: int | None = None
    approval_id: UUID | None = None
    effect_key: str | None = None
    error_code: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int = 0
    latency_ms: int = 0

    @property
    def subject_id(self) -> UUID:
        """Return the subject whose key seals the payload."""
        return self.about or self.actor.subject_id

    @property
    def subjects(self) -> frozenset[UUID]:
        """Return everybody whose key the record needs."""
        return frozenset((self.subject_id, *self.others.values()))


def performed(
    actor: Actor,
    action: str,
    effect: Effect = "WRITE",
    *,
    about: UUID | None = None,
    people: Iterable[UUID] = (),
    payload: Mapping[str, object] | None = None,
    arguments: Mapping[str, object] | None = None,
    effect_key: str | None = None,
    chain_id: UUID | None = None,
    chain_kind: ChainKind = "conversation",
) -> AuditEntry:
    """Return the record of something that was allowed and done; the fields as `AuditEntry` says."""
    return AuditEntry(
        actor=actor,
        action=action,
        effect=effect,
        outcome="ok",
        decision="allowed",
        about=about,
        people=tuple(people),
        payload=payload or {},
        arguments=arguments,
        effect_key=effect_key,
        chain_id=chain_id,
        chain_kind=chain_kind,
    )


def shown(actor: Actor, action: str, people: Sequence[UUID], **payload: object) -> AuditEntry:
    """Return the record of having shown what is known of people; the payload names them, too."""
    return performed(
        actor, action, "READ", people=people, payload={**payload, "people": list(people)}
    )


def shard_of(actor: Actor) -> UUID:
    """Return the chain of what this actor does outside any conversation."""
    anchor = actor.staff_id or actor.subject_id
    return UUID(int=0x5AAD << 112 | anchor.int % SHARDS)


def canonical(value: object) -> bytes:
    """Return the one JSON text of a value: sorted keys, no spaces, UTF-8."""
    return _ENCODER.encode(value).encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
)


def around_seq(header: Mapping[str, object], sealed: object) -> tuple[str, str]:
    """Return the text of a record before and after its number in the chain.

    The database gives the number when it appends the record, so that nobody has to ask it for the
    number first; with it, the text is what `link` hashes.

    Args:
        header: without `seq`.
    """
    lower = {name: value for name, value in header.items() if name < "seq"}
    upper = {name: value for name, value in header.items() if name > "seq"}
    before = canonical([lower]).decode()[:-2] + ("," if lower else "") + '"seq":'
    after = ("," if upper else "") + canonical([upper, sealed]).decode()[2:]
    return before, after


def link(prev_hash: bytes, header: Mapping[str, object], sealed: object) -> bytes:
    """Return the hash that ties a record to the one before it in its chain.

    Args:
        header: every stored column but the hashes and the sealed payload.
        sealed: the ciphertext, so that erasing a key leaves the chain verifiable.
    """
    return hashlib.sha256(prev_hash + canonical([header, sealed])).digest()
