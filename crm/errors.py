"""The errors every layer knows: a stable code and a message that is safe to show."""


class OrientaError(Exception):
    """A failure with a stable code.

    Args:
        code: stable, dotted, lower case; programs match on it.
        safe_message: plain English without personal data; may reach any reader.
    """

    def __init__(self, code: str, safe_message: str) -> None:
        super().__init__(f"{code}: {safe_message}")
        self.code = code
        self.safe_message = safe_message


class NotFound(OrientaError):
    """The thing does not exist, or its existence is none of the caller's business."""


class Conflict(OrientaError):
    """The state has moved on, or a key was used with other arguments."""


class RuleBroken(OrientaError):
    """A rule of the domain forbids it."""


class Denied(OrientaError):
    """The caller may not do this."""


class Unauthenticated(OrientaError):
    """The caller has not shown who they are, or no longer can."""


class Throttled(OrientaError):
    """Too many tries.

    Args:
        retry_after_s: seconds after which another try is welcome.
    """

    def __init__(self, code: str, safe_message: str, *, retry_after_s: int) -> None:
        super().__init__(code, safe_message)
        self.retry_after_s = retry_after_s


class Unavailable(OrientaError):
    """Something this depends on does not answer; trying later may help."""
