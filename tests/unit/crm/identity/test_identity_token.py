"""A host site's token is believed only if it is ours to believe, short-lived and now."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from crm.errors import Unauthenticated, Unavailable
from crm.identity.identity_token import read_identity_token

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SECRET = "a shared secret that is long enough for any of the algorithms a token may name"


def _at(delta: timedelta) -> int:
    return int((NOW + delta).timestamp())


def _token(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {
        "sub": "student-17",
        "email": "Ana@Correo.example",
        "aud": "orienta",
        "iat": _at(timedelta(0)),
        "exp": _at(timedelta(minutes=5)),
    } | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, secret, algorithm=algorithm)


def test_good_token_names_the_student() -> None:
    claims = read_identity_token(_token(), secret=SECRET, now=NOW)

    assert (claims.subject, claims.email) == ("student-17", "ana@correo.example")
    assert claims.expires_at == NOW + timedelta(minutes=5)


def test_token_may_name_several_audiences_and_no_time_of_issue() -> None:
    read_identity_token(_token(aud=["other", "orienta"], iat=None), secret=SECRET, now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": _at(timedelta(seconds=-30))},
        {"exp": _at(timedelta(hours=1, seconds=1))},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"nbf": _at(timedelta(minutes=2))},
        {"iat": _at(timedelta(minutes=2))},
        {"aud": None},
        {"aud": "another"},
        {"sub": None},
        {"sub": 17},
        {"email": None},
        {"email": "nowhere"},
        {"email": 17},
        {"secret": "another secret of thirty-two bytes or more"},
        {"algorithm": "HS512"},
    ],
)
def test_token_with_a_flaw_is_refused(changes: dict[str, Any]) -> None:
    token = _token(**changes)

    with pytest.raises(Unauthenticated, match=r"identity\.token"):
        read_identity_token(token, secret=SECRET, now=NOW)


def test_unsigned_token_is_refused() -> None:
    claims = jwt.decode(_token(), options={"verify_signature": False})

    with pytest.raises(Unauthenticated, match=r"identity\.token"):
        read_identity_token(jwt.encode(claims, None, algorithm="none"), secret=SECRET, now=NOW)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ñ.ñ.ñ", "." * 50])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated, match=r"identity\.token"):
        read_identity_token(token, secret=SECRET, now=NOW)


def test_clocks_may_differ_by_half_a_minute() -> None:
    late = _token(exp=_at(timedelta(seconds=-29)), iat=_at(timedelta(minutes=-9)))
    early = _token(iat=_at(timedelta(seconds=29)))

    for token in (late, early):
        assert read_identity_token(token, secret=SECRET, now=NOW).subject == "student-17"


def test_short_secret_is_not_trusted() -> None:
    with pytest.raises(Unavailable, match=r"identity\.secret"):
        read_identity_token(_token(), secret="short", now=NOW)
