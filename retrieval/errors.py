"""The errors of retrieval: a stable code and a message that is safe to show."""


class RetrievalError(Exception):
    """A failure with a stable code.

    Args:
        code: stable, dotted, lower case; programs match on it.
        safe_message: plain English without personal data; may reach any reader.
    """

    def __init__(self, code: str, safe_message: str) -> None:
        super().__init__(f"{code}: {safe_message}")
        self.code = code
        self.safe_message = safe_message


class Unreadable(RetrievalError):
    """A file cannot be read as a document; it is set aside with this reason."""


class ModelUnavailable(RetrievalError):
    """A model cannot be loaded or fails; search goes on without it."""


class EmbedderUnavailable(ModelUnavailable):
    """The embedder cannot be loaded or fails; search goes on without vectors."""


class StoreUnavailable(RetrievalError):
    """A search server does not answer, or not in time; another store may."""


class StoreRefused(RetrievalError):
    """A search server answers, but not this request."""
