"""What a key seals, only that key opens."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Unavailable
from crm.journal.vault import SubjectKey, Vault

ONE, TWO = UUID(int=1), UUID(int=2)


def _key(subject_id: UUID = ONE, vault: Vault | None = None) -> SubjectKey:
    vault = vault or Vault(bytes(32))
    return vault.unwrap(subject_id, vault.new_wrapped_key(subject_id))


@given(st.binary(max_size=200))
def test_key_opens_what_it_sealed(plain: bytes) -> None:
    key = _key()

    assert key.open(key.seal(plain)) == plain
    assert key.seal(plain) != key.seal(plain)


@given(st.binary(max_size=40), st.data())
def test_any_flipped_bit_is_noticed(plain: bytes, data: st.DataObject) -> None:
    key = _key()
    sealed = bytearray(key.seal(plain))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(Unavailable, match=r"journal\.sealed"):
        key.open(bytes(sealed))


def test_another_key_or_subject_opens_nothing() -> None:
    key = _key()
    sealed = key.seal(b"secret")

    for stranger in (_key(), SubjectKey(TWO, key.secret)):
        with pytest.raises(Unavailable, match=r"journal\.sealed"):
            stranger.open(sealed)


def test_wrapped_key_belongs_to_its_subject_and_its_master() -> None:
    vault = Vault(bytes(32))
    wrapped = vault.new_wrapped_key(ONE)

    assert vault.unwrap(ONE, wrapped) == vault.unwrap(ONE, wrapped)
    for other, subject_id in ((vault, TWO), (Vault(bytes(31) + b"x"), ONE)):
        with pytest.raises(Unavailable, match=r"journal\.master_key"):
            other.unwrap(subject_id, wrapped)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_digest_tells_texts_apart_and_keys_too(one: bytes, two: bytes) -> None:
    key = _key()

    assert key.digest(one) == key.digest(one)
    assert (key.digest(one) == key.digest(two)) == (one == two)
    assert key.digest(one) != _key().digest(one)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_master_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(bytes(size))
