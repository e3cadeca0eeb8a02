"""Seals personal payloads with one key a subject, each wrapped by the institution's master key."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crm.errors import Unavailable

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """The unwrapped key of one subject; lives for a transaction, never longer."""

    subject_id: UUID
    secret: bytes

    def seal(self, plain: bytes) -> bytes:
        """Encrypt; the nonce comes first. AES-256-GCM bound to the subject."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, plain, self.subject_id.bytes)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises: Unavailable("journal.sealed"): another key, or changed bytes.
        """
        try:
            return AESGCM(self.secret).decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self.subject_id.bytes
            )
        except InvalidTag as broken:
            raise Unavailable("journal.sealed", "A sealed record cannot be opened.") from broken

    def digest(self, plain: bytes) -> bytes:
        """Return an HMAC-SHA256 under a key derived from the subject's.

        A plain hash of short arguments could be guessed after erasure; this cannot.
        """
        derived = HKDF(SHA256(), 32, salt=None, info=b"orienta/digest").derive(self.secret)
        return hmac.digest(derived, plain, hashlib.sha256)


class Vault:
    """Makes and unwraps subject keys.

    Args:
        master_key: 32 bytes; losing it loses every sealed record.
    """

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != 32:
            raise ValueError("the master key is 32 bytes")
        self._master = AESGCM(master_key)

    def new_wrapped_key(self, subject_id: UUID) -> bytes:
        """Return a fresh key, wrapped."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, secrets.token_bytes(32), subject_id.bytes)

    def unwrap(self, subject_id: UUID, wrapped: bytes) -> SubjectKey:
        """Return the key.

        Raises: Unavailable("journal.master_key"): wrapped under another master key.
        """
        try:
            secret = self._master.decrypt(
                wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], subject_id.bytes
            )
        except InvalidTag as broken:
            raise Unavailable("journal.master_key", "The master key does not fit.") from broken
        return SubjectKey(subject_id, secret)
