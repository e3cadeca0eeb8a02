"""What an exception becomes: a result that says nothing of the exception itself."""

import logging

from crm.errors import OrientaError, Throttled, Unavailable
from retrieval.errors import RetrievalError
from tools.results import Failed, Refused

_log = logging.getLogger(__name__)

_INTERNAL = "Something went wrong; nothing was changed."
_TIMEOUT = "This took too long; nothing was changed."


def result_of(error: Exception, *, tool: str) -> Refused | Failed:
    """Return how a call ended that raised.

    An `OrientaError` carries words that are safe to show; every other text stays in the log.
    """
    if isinstance(error, Unavailable | Throttled | RetrievalError):
        return Failed(error.code, error.safe_message, retryable=True)
    if isinstance(error, OrientaError):
        return Refused(error.code, error.safe_message)
    if isinstance(error, TimeoutError):
        return Failed("timeout", _TIMEOUT, retryable=True)
    _log.error("tool %s failed", tool, exc_info=error)
    return Failed("internal", _INTERNAL, retryable=False)
