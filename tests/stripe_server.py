"""A local server that is as strict as Stripe's documentation about the calls that we make.

It knows Checkout Sessions, payments, refunds, disputes and balance transactions; form encoding,
versions, idempotency keys, pages, expansion, and faults by script.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from crm.clock import Clock

KEY = "sk_test_of_this_server"
_ZERO = set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE = set("bhd jod kwd omr tnd".split())
_HUNDREDS = {"isk", "ugx"}
_VERSION = re.compile(r"\d{4}-\d\d-\d\d\.[a-z]+")
_SESSION_PARAMS = {
    "mode",
    "line_items[0][price_data][currency]",
    "line_items[0][price_data][unit_amount]",
    "line_items[0][price_data][product_data][name]",
    "line_items[0][quantity]",
    "client_reference_id",
    "metadata[payment_id]",
    "payment_intent_data[metadata][payment_id]",
    "success_url",
    "cancel_url",
    "locale",
    "expires_at",
}
_REFUND_PARAMS = {
    "payment_intent",
    "amount",
    "reason",
    "metadata[refund_id]",
    "metadata[payment_id]",
}


class Refused(Exception):
    """The request is wrong, as Stripe would say it."""

    def __init__(self, code: str, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": code}}


@dataclass
class StripeServer:
    """An account at Stripe.

    Args:
        faults: what happens to the next requests: `429`, `500`, `500_after`, `hang`, `html`.
    """

    base_url: str
    clock: Clock
    faults: deque[str] = field(default_factory=deque)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    disputes: dict[str, dict[str, Any]] = field(default_factory=dict)
    bookings: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: dict[str, tuple[str, str, int, dict[str, Any]]] = field(default_factory=dict)
    refunds_end: str = "succeeded"

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def forget_keys(self) -> None:
        """Prune the idempotency keys, as happens after a day."""
        self.kept.clear()

    def pay(self, session_id: str, *, status: str = "paid") -> dict[str, Any]:
        """Let the payer complete a checkout; `unpaid` is a debit that takes days."""
        session = self.sessions[session_id]
        intent = {
            "id": f"pi_{len(self.intents)}",
            "object": "payment_intent",
            "metadata": session.pop("_intent_metadata"),
            "status": "succeeded" if status == "paid" else "processing",
            "amount": session["amount_total"],
            "currency": session["currency"],
        }
        self.intents[intent["id"]] = intent
        session |= {"status": "complete", "payment_status": status, "payment_intent": intent["id"]}
        session["url"] = None
        if status == "paid":
            charge = {**intent, "id": f"ch_{intent['id']}", "object": "charge"}
            self.book("charge", charge, intent["amount"])
        return intent

    def dispute(self, intent_id: str, amount: int, status: str) -> dict[str, Any]:
        """Open or change the dispute of a payment; it carries no metadata of ours."""
        dispute = {
            "id": f"dp_{intent_id}",
            "object": "dispute",
            "amount": amount,
            "currency": self.intents[intent_id]["currency"],
            "charge": f"ch_{intent_id}",
            "payment_intent": intent_id,
            "status": status,
            "metadata": {},
            "created": self.now,
        }
        self.disputes[dispute["id"]] = dispute
        return dispute

    def book(self, kind: str, source: dict[str, Any], amount: int) -> None:
        """Write a balance transaction, in euros as this account settles."""
        booking_id = f"txn_{len(self.bookings)}"
        self.bookings[booking_id] = {
            "id": booking_id,
            "object": "balance_transaction",
            "type": kind,
            "amount": amount * 9 // 10,
            "currency": "eur",
            "created": self.now,
            "source": source,
        }

    def handle(self, request: Request, body: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Answer a request that got through."""
        params = self._check(request, body)
        key = request.headers.get("idempotency-key")
        if request.method == "POST" and not key:
            raise Refused("idempotency_key_missing")
        fault = self.faults.popleft() if self.faults else ""
        if fault == "429":
            raise Refused("rate_limit", 429)
        if key is None:
            return 200, self._act(request, params), {}
        if key in self.kept:
            path, sent, status, answer = self.kept[key]
            if (path, sent) != (request.url.path, body.decode()):
                raise Refused("", 400, "idempotency_error")
            return status, answer, {"idempotent-replayed": "true"}
        status, answer = 200, {"error": {"type": "api_error", "message": "oops"}}
        if fault != "500":
            answer = self._act(request, params)
        if fault.startswith("500"):
            status, answer = 500, {"error": {"type": "api_error", "message": "oops"}}
        self.kept[key] = (request.url.path, body.decode(), status, answer)
        return status, answer, {}

    def _check(self, request: Request, body: bytes) -> dict[str, str]:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused("invalid_api_key", 401)
        if not _VERSION.fullmatch(request.headers.get("stripe-version", "")):
            raise Refused("version")
        encoding = request.headers.get("content-type", "")
        if request.method == "POST" and body and encoding != "application/x-www-form-urlencoded":
            raise Refused("content_type")
        pairs = parse_qsl(body.decode() if body else request.url.query, strict_parsing=bool(body))
        params = dict(pairs)
        assert len(params) == len(pairs), "a parameter is given twice"
        self.requests.append((request.method, request.url.path, params))
        return params

    def _act(self, request: Request, params: dict[str, str]) -> dict[str, Any]:
        parts = request.url.path.removeprefix("/v1/").split("/")
        match request.method, parts:
            case "POST", ["checkout", "sessions"]:
                return self._create_session(params)
            case "GET", ["checkout", "sessions", session_id]:
                return self._show_session(session_id, params)
            case "POST", ["checkout", "sessions", session_id, "expire"]:
                return self._expire(session_id)
            case "GET", ["payment_intents", intent_id]:
                return _found(self.intents, intent_id)
            case "POST", ["refunds"]:
                return self._refund(params)
            case "GET", ["refunds" | "disputes" | "balance_transactions"]:
                return self._list(parts[0], params)
        raise Refused("unrecognized_url", 404)

    def _create_session(self, params: dict[str, str]) -> dict[str, Any]:
        _only(params, _SESSION_PARAMS)
        price = "line_items[0][price_data]"
        currency, units = params[f"{price}[currency]"], int(params[f"{price}[unit_amount]"])
        _check_amount(currency, units)
        if params["locale"] not in ("es", "en") or not params[f"{price}[product_data][name]"]:
            raise Refused("parameter_invalid")
        expires_at = int(params.get("expires_at", self.now + 86_400))
        if not self.now + 1_800 <= expires_at <= self.now + 86_400:
            raise Refused("expires_at")
        session_id = f"cs_test_{len(self.sessions)}"
        self.sessions[session_id] = {
            "id": session_id,
            "object": "checkout.session",
            "mode": params["mode"],
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "amount_total": units * int(params["line_items[0][quantity]"]),
            "currency": currency,
            "metadata": _metadata(params, "metadata"),
            "client_reference_id": params["client_reference_id"],
            "url": f"https://checkout.example/c/{session_id}",
            "expires_at": expires_at,
            "created": self.now,
            "_intent_metadata": _metadata(params, "payment_intent_data[metadata]"),
        }
        return dict(self.sessions[session_id])

    def _show_session(self, session_id: str, params: dict[str, str]) -> dict[str, Any]:
        session = dict(_found(self.sessions, session_id))
        if params.get("expand[0]") == "payment_intent" and session["payment_intent"]:
            session["payment_intent"] = self.intents[session["payment_intent"]]
        return session

    def _expire(self, session_id: str) -> dict[str, Any]:
        session = _found(self.sessions, session_id)
        if session["status"] != "open":
            raise Refused("")
        session |= {"status": "expired", "url": None}
        return dict(session)

    def _refund(self, params: dict[str, str]) -> dict[str, Any]:
        _only(params, _REFUND_PARAMS)
        intent = _found(self.intents, params["payment_intent"])
        if params["reason"] not in ("duplicate", "fraudulent", "requested_by_customer"):
            raise Refused("parameter_invalid")
        amount = int(params["amount"])
        _check_amount(intent["currency"], amount)
        given = [r for r in self.refunds.values() if r["payment_intent"] == intent["id"]]
        if sum(r["amount"] for r in given if r["status"] != "failed") + amount > intent["amount"]:
            raise Refused("charge_already_refunded")
        refund = {
            "id": f"re_{len(self.refunds)}",
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "charge": f"ch_{intent['id']}",
            "status": self.refunds_end,
            "metadata": _metadata(params, "metadata"),
            "created": self.now,
        }
        self.refunds[refund["id"]] = refund
        self.book("refund", refund, -amount)
        return dict(refund)

    def _list(self, kind: str, params: dict[str, str]) -> dict[str, Any]:
        things = {
            "refunds": self.refunds,
            "disputes": self.disputes,
            "balance_transactions": self.bookings,
        }[kind]
        known = {"limit", "starting_after", "payment_intent", "charge", "expand[0]"}
        _only(params, known | {"created[gte]", "created[lt]"})
        rows = [dict(row) for row in reversed(things.values()) if _matches(row, params)]
        if after := params.get("starting_after"):
            rows = rows[[row["id"] for row in rows].index(after) + 1 :]
        limit = int(params.get("limit", 10))
        assert 1 <= limit <= 100
        for row in rows:
            if "source" in row and params.get("expand[0]") != "data.source":
                row["source"] = row["source"]["id"]
        page, more = rows[:limit], len(rows) > limit
        return {"object": "list", "url": f"/v1/{kind}", "has_more": more, "data": page}


def _matches(row: dict[str, Any], params: dict[str, str]) -> bool:
    since, until = params.get("created[gte]"), params.get("created[lt]")
    return (
        all(row.get(k) == params[k] for k in ("payment_intent", "charge") if k in params)
        and (since is None or row["created"] >= int(since))
        and (until is None or row["created"] < int(until))
    )


def _found(things: dict[str, dict[str, Any]], thing_id: str) -> dict[str, Any]:
    if thing_id not in things:
        raise Refused("resource_missing", 404)
    return things[thing_id]


def _only(params: dict[str, str], known: set[str]) -> None:
    if unknown := params.keys() - known:
        raise Refused(f"parameter_unknown: {sorted(unknown)}")


def _metadata(params: dict[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(f"{prefix}[").removesuffix("]"): value
        for name, value in params.items()
        if name.startswith(f"{prefix}[")
    }


def _check_amount(currency: str, units: int) -> None:
    step = 10 if currency in _THREE else 100 if currency in _HUNDREDS else 1
    if not re.fullmatch("[a-z]{3}", currency) or units <= 0 or units % step:
        raise Refused("amount")


@contextmanager
def stripe_server(clock: Clock) -> Iterator[StripeServer]:
    """Run a server on a free port of this machine, in a thread of its own."""
    listening = socket.create_server(("127.0.0.1", 0))
    state = StripeServer(f"http://127.0.0.1:{listening.getsockname()[1]}", clock)

    async def answer(request: Request) -> Response:
        body = await request.body()
        if state.faults and state.faults[0] == "hang":
            state.faults.popleft()
            await asyncio.sleep(3)
        if state.faults and state.faults[0] == "html":
            state.faults.popleft()
            return Response("<h1>Bad gateway</h1>", 502)
        try:
            status, said, headers = state.handle(request, body)
        except Refused as refused:
            status, said, headers = refused.status, refused.body, {}
        text = json.dumps({k: v for k, v in said.items() if not k.startswith("_")})
        return Response(text, status, {**headers, "request-id": "req_1"}, "application/json")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()
