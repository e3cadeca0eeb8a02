"""Signs certificates and gives them codes, with keys derived from the institution's own."""

import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crm.courses.completion.certificates.models import ALPHABET, grouped
from crm.journal.vault import SubjectKey

#: 60 bits: nobody guesses one by asking.
_CODE_CHARACTERS = 12


class Signer:
    """Makes and checks what only the institution can make.

    Args:
        institution: the institution's key; it is never destroyed, so that what was printed stays
            good.
    """

    def __init__(self, institution: SubjectKey) -> None:
        self._code_key = _derive(institution, b"orienta/certificate-code")
        seed = _derive(institution, b"orienta/certificate-signature")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public_key(self) -> bytes:
        """Return the raw key with which anybody checks a signature."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, statement: bytes) -> bytes:
        """Return the signature of a statement."""
        return self._private.sign(statement)

    def code_of(self, number: str) -> str:
        """Return the code that belongs to a certificate's number."""
        digest = hmac.digest(self._code_key, number.encode(), hashlib.sha256)
        characters = "".join(ALPHABET[byte % 32] for byte in digest[:_CODE_CHARACTERS])
        return grouped(characters)

    def is_code(self, number: str, code: str) -> bool:
        """Say whether a code belongs to a number, in a time that tells nothing."""
        return hmac.compare_digest(self.code_of(number).encode(), code.encode())


def is_signed(statement: bytes, signature: bytes, public_key: bytes) -> bool:
    """Say whether a statement was signed with the key that belongs to this public one."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def _derive(institution: SubjectKey, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=info).derive(institution.secret)
