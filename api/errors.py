"""Turns every failure into `application/problem+json` with a stable code."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.body_limit import BodyLimit
from api.request_id import RequestIds, request_id_of
from api.settings import Settings
from crm.errors import (
    Conflict,
    Denied,
    NotFound,
    OrientaError,
    RuleBroken,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from retrieval.errors import RetrievalError

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
#: What to suggest when something is down and nobody knows for how long.
_RETRY_S = 5

_STATUS: Mapping[type[OrientaError], int] = {
    NotFound: 404,
    Conflict: 409,
    RuleBroken: 422,
    Denied: 403,
    Unauthenticated: 401,
    Throttled: 429,
    Unavailable: 503,
}
_HTTP_CODES: Mapping[int, tuple[str, str]] = {
    400: ("request.malformed", "The request cannot be read."),
    404: ("route.unknown", "There is nothing at this address."),
    405: ("request.method", "This address does not take this method."),
    413: ("request.too_large", "The request is too large."),
    415: ("request.media_type", "This address does not take this media type."),
}


class Problem(BaseModel):
    """What went wrong (RFC 9457); programs match on `code`."""

    type: str = Field(description="`urn:orienta:problem:` and the code")
    title: str
    status: int
    code: str
    detail: str
    request_id: str | None = Field(None, description="Names this request in the log")
    errors: list[dict[str, str]] | None = Field(
        None, description="One entry a field of an invalid request: `field`, `code`, `message`"
    )


def problem(
    request_id: str | None,
    *,
    status: int,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[dict[str, str]] | None = None,
) -> Response:
    """Return a problem as a response."""
    body = Problem(
        type=f"urn:orienta:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        request_id=request_id,
        errors=list(errors) if errors else None,
    )
    return Response(
        body.model_dump_json(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE
    )


def install_error_handlers(app: FastAPI, settings: Settings) -> None:
    """Make the application answer every failure with a problem, and describe it in OpenAPI.

    Call it before any router is included.
    """
    app.add_exception_handler(OrientaError, _on_orienta_error)
    app.add_exception_handler(RetrievalError, _on_retrieval_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(psycopg.DataError, _on_unstorable)
    app.add_exception_handler(UnicodeEncodeError, _on_unstorable)
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.body_max_bytes,
        larger={
            "/v1/imports": settings.import_max_bytes,
            "/v1/knowledge/uploads": settings.ingest_max_bytes,
        },
        refuse=_too_large,
    )
    app.add_middleware(RequestIds, failed=_internal)
    schema = Problem.model_json_schema()
    app.router.responses["default"] = {
        "description": "A problem; see `code`",
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def _on_orienta_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, OrientaError), "registered for it"  # noqa: S101
    status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), 500)
    return problem(
        request_id_of(request.scope),
        status=status,
        code=error.code,
        detail=error.safe_message,
        headers=_headers_of(error),
    )


def _headers_of(error: OrientaError) -> dict[str, str]:
    if isinstance(error, Throttled):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(_RETRY_S)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def _on_retrieval_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RetrievalError), "registered for it"  # noqa: S101
    return problem(
        request_id_of(request.scope),
        status=503,
        code=error.code,
        detail=error.safe_message,
        headers={"Retry-After": str(_RETRY_S)},
    )


def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for it"  # noqa: S101
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        return _malformed_json(request)
    return problem(
        request_id_of(request.scope),
        status=422,
        code="request.invalid",
        detail="Some fields of the request are not valid.",
        errors=[_field_error(e) for e in found],
    )


def _field_error(error: Mapping[str, Any]) -> dict[str, str]:
    """Describe one invalid field, without repeating its value."""
    where = ".".join(str(part) for part in error["loc"])
    return {"field": where, "code": error["type"], "message": error["msg"]}


def _malformed_json(request: Request) -> Response:
    return problem(
        request_id_of(request.scope),
        status=400,
        code="request.malformed_json",
        detail="The request's body is not valid JSON.",
    )


def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for it"  # noqa: S101
    status = error.status_code
    if status == 400 and "json" in request.headers.get("content-type", ""):
        return _malformed_json(request)
    code, detail = _HTTP_CODES.get(status, (f"http.{status}", HTTPStatus(status).phrase + "."))
    return problem(
        request_id_of(request.scope), status=status, code=code, detail=detail, headers=error.headers
    )


def _on_unstorable(request: Request, error: Exception) -> Response:
    """Answer a value that no column can hold: a NUL character, or half of a surrogate pair."""
    _log.warning("a value cannot be stored: %s", type(error).__name__)
    return problem(
        request_id_of(request.scope),
        status=422,
        code="request.invalid",
        detail="A value in the request cannot be stored.",
    )


def _too_large(request_id: str | None) -> Response:
    code, detail = _HTTP_CODES[413]
    return problem(
        request_id, status=413, code=code, detail=detail, headers={"Connection": "close"}
    )


def _internal(request_id: str) -> Response:
    return problem(
        request_id,
        status=500,
        code="internal",
        detail="Something went wrong on our side. The request id helps us find out what.",
    )
