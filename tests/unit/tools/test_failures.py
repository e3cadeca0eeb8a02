"""What an exception becomes."""

import logging

import pytest

from crm.errors import (
    Conflict,
    Denied,
    NotFound,
    RuleBroken,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from retrieval.errors import EmbedderUnavailable
from tools.failures import result_of
from tools.results import Failed, Refused

SECRET = "host=10.0.0.7 password=hunter2"


@pytest.mark.parametrize("kind", [NotFound, Conflict, RuleBroken, Denied, Unauthenticated])
def test_what_the_domain_forbids_is_refused(kind: type[NotFound]) -> None:
    assert result_of(kind("a.b", "No."), tool="t") == Refused("a.b", "No.")


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("a.b", "Later."),
        Throttled("a.b", "Later.", retry_after_s=1),
        EmbedderUnavailable("a.b", "Later."),
    ],
)
def test_what_may_work_later_is_failed_and_may_be_retried(error: Exception) -> None:
    assert result_of(error, tool="t") == Failed("a.b", "Later.", retryable=True)


def test_timeout_may_be_retried() -> None:
    result = result_of(TimeoutError(SECRET), tool="t")
    assert (result.status, result.code) == ("failed", "timeout")
    assert SECRET not in repr(result)


def test_anything_else_says_nothing_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        result = result_of(RuntimeError(SECRET), tool="my_tool")
    assert isinstance(result, Failed)
    assert (result.code, result.retryable) == ("internal", False)
    assert SECRET not in repr(result)
    assert "my_tool" in caplog.text
    assert SECRET in caplog.text
