"""Hostile requests, made from what the API's own document says of each operation."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from crm.paging import encode_cursor

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LONG = "ñ" * 70_000
DATES = (
    *("0001-01-01", "9999-12-31", "0000-00-00", "2026-02-30", "-0001-01-01", "1e9", "infinity"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-24T00:00:00", "now"),
    *("2026-11-24T25:00:00Z", "2026-11-24T00:00:00+99:99", "99999999999999", "-62135596800"),
)
TEXTS = (
    *("", " ", "\x00", "a\x00b", "\ud800", "a\udfffb", LONG, "%", "_", "\\", "'", '"; DROP TABLE'),
    *("\u202e", "\ufeff", "\U0001f9d1\u200d\U0001f393" * 60, "../../etc/passwd", "{{7*7}}"),
    *("<script>", "\r\nX-Evil: 1", "NaN", "null", "-1", "１２３", "a" * 300, "%s%(x)s", "\x1b[31m"),
)
NUMBERS = (
    *(-1, 0, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, 2**64, 10**30, -(10**30)),
    *(1.5, -0.0, 1e308, "1", True, float("inf"), float("nan"), 10**400),
)
IDS = (
    *("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    *("not-an-id", "0", "{12345678-1234-5678-1234-567812345678}", "\x00", "%00", "' OR 1=1 --"),
)
SHAPES: tuple[Any, ...] = (None, [], {}, "x", 7, True, [[]], [None], {"a": 1}, [{}] * 50)
CURSORS = (
    *("x", "====", "W10", "bnVsbA", "é", "\x00", "A" * 500),
    encode_cursor("0001-01-01T00:00:00+14:00", IDS[0]),
    encode_cursor("9999-12-31T23:59:59-12:00", IDS[0]),
    encode_cursor("2026-01-01T00:00:00", IDS[1]),
    encode_cursor("0001-01-01", IDS[0]),
    encode_cursor(10**30, IDS[0]),
    encode_cursor(10**30, "2026-01-01T00:00:00+00:00", IDS[0]),
    encode_cursor(-(2**63) - 1),
    encode_cursor(10**30),
    encode_cursor("a\x00b"),
    encode_cursor("\ud800"),
    encode_cursor("\x00", IDS[0]),
    encode_cursor("2026-01-01T00:00:00+00:00", "a\x00b"),
    encode_cursor("2026-01-01T00:00:00+00:00", "\ud800"),
)
#: The first and the last day and moment that requests may name, among others.
_EDGES: Mapping[str, tuple[str, ...]] = {
    "date": ("1900-01-01", "2199-12-31", "2024-02-29"),
    "date-time": ("1900-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "2199-12-31T23:59:59-00:00"),
    "time": ("00:00:00", "23:59:59.999999", "24:00:00"),
}
KEY = "Idempotency-Key"
#: Only sent to spoil a request: no valid one is known beforehand.
_SELDOM = ("cursor", "since", "Last-Event-ID")
#: Bodies that are not JSON, or not as anybody would send it.
RAW = (
    *(b"", b"{", b"null", b"[]", b'"x"', b"0", b"\xff\xfe", b"\x00", b"[" * 60_000, b"{}" * 9),
    *(b'{"a":' * 20_000, b'{"a":1e999}', b"-", b"\xef\xbb\xbf{}", b'{"\\ud800":1}', b"NaN"),
    b'{"amount":' + b"9" * 5_000 + b"}",
)


@dataclass
class Hostile:
    """A request, as it is sent."""

    method: str
    route: str
    path: str
    query: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def __str__(self) -> str:
        """Say enough to send it again."""
        body = (self.body or b"")[:400]
        return f"{self.method} {self.path[:300]} {self.query!r:.400} {self.headers!r:.200} {body!r}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application answered; of a stream that began only how."""

    status: int
    media: str
    text: str


async def send(app: ASGIApp, hostile: Hostile, headers: Mapping[str, str]) -> Answer:
    """Give a request to the application as a server does that refuses nothing itself."""
    path, raw = unquote(hostile.path, errors="replace"), hostile.path.encode()
    body = hostile.body or b""
    lines = {"host": "andino.example", "content-length": str(len(body)), **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": hostile.method,
        "scheme": "http",
        "path": path,
        "raw_path": raw,
        "query_string": "&".join(hostile.query).encode(),
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in lines.items()],
        "client": ("127.0.0.1", 1),
        "server": ("andino.example", 80),
    }
    sent: list[Any] = []
    begun = asyncio.Event()

    async def receive() -> Any:
        if begun.is_set():
            await asyncio.Event().wait()  # the client stays
        begun.set()
        return {"type": "http.request", "body": body, "more_body": False}

    async def note(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.start" and media_of(message) == _STREAM:
            raise _Streams

    with suppress(_Streams, ExceptionGroup):
        await app(scope, receive, note)
    text = b"".join(m.get("body", b"") for m in sent[1:]).decode("utf-8", "replace")
    return Answer(sent[0]["status"], media_of(sent[0]), text)


_STREAM = "text/event-stream"


class _Streams(Exception):
    """A stream of events began: it has no end."""


def media_of(start: Mapping[str, Any]) -> str:
    """Return the media type of an answer."""
    found = {k.decode().lower(): v.decode() for k, v in start["headers"]}
    return found.get("content-type", "").partition(";")[0]


class Forge:
    """Makes requests of one document's operations, always the same ones for a seed.

    Args:
        known: ids and codes of what is there, by the name of the parameter or field.
    """

    def __init__(self, document: Mapping[str, Any], known: Mapping[str, str], *, seed: int) -> None:
        self._document = document
        self._known = known
        self._dice = random.Random(seed)

    def requests(self, *, each: int) -> Iterator[Hostile]:
        """Yield so many requests of every operation; of those that take nothing only a few."""
        for path, item in self._document["paths"].items():
            for method, operation in item.items():
                takes = operation.get("parameters") or operation.get("requestBody")
                for number in range(each if takes else 2):
                    yield self._request(method.upper(), path, operation, number)

    def know(self, known: Mapping[str, str]) -> None:
        """Speak of other things that are there."""
        self._known = known

    def valid(self, method: str, route: str, operation: Any) -> Hostile:
        """Return a request that the document allows."""
        return self._request(method, route, operation, 0)

    def _request(self, method: str, route: str, operation: Any, number: int) -> Hostile:
        parameters = operation.get("parameters", [])
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        # One place at a time is spoiled, so that the others lead deep into the code.
        places = [p["name"] for p in parameters] + (["body", "body", "body"] if content else [])
        spoiled = self._dice.choice(places) if places and number % 4 else None
        made = Hostile(method, route, route)
        for parameter in parameters:
            self._place(made, parameter, spoil=parameter["name"] == spoiled)
        if content:
            made.body = self._body(schema, spoil=spoiled == "body", number=number)
            made.headers["Content-Type"] = next(iter(content))
            if self._dice.random() < 0.03:
                made.headers["Content-Type"] = self._dice.choice(["text/plain", "x", "image/png"])
        return made

    def _place(self, made: Hostile, parameter: Any, *, spoil: bool) -> None:
        name, where = parameter["name"], parameter["in"]
        likely = 0.0 if name in _SELDOM else 0.8 if name == KEY else 0.2
        if not (spoil or parameter.get("required") or self._dice.random() < likely):
            return
        value = self._spoiled_text(name, parameter["schema"]) if spoil else None
        if value is None and name == KEY:
            value = f"key-{self._dice.random()}"
        elif value is None:
            value = str(self._value(parameter["schema"], name))
        if where == "path":
            plain = value.encode("utf-8", "surrogatepass")[:4_000]
            made.path = made.path.replace(f"{{{name}}}", quote(plain, safe="") or "%20")
        elif where == "query":
            text = f"{name}={quote(value.encode('utf-8', 'surrogatepass')[:60_000], safe='')}"
            made.query += [text] * (2 if spoil and self._dice.random() < 0.1 else 1)
        else:
            made.headers[name] = value.encode("ascii", "replace").decode()[:8_000]

    def _spoiled_text(self, name: str, schema: Any) -> str:
        kinds = {s.get("format") or s.get("type") for s in self._parts(schema)}
        if name not in _SELDOM and self._dice.random() < 0.4:
            return str(self._edge(schema))
        if name in ("cursor", "since") and "date-time" not in kinds and "date" not in kinds:
            return self._dice.choice((*CURSORS, *TEXTS))
        if {"date", "date-time"} & kinds:
            return self._dice.choice((*DATES, *TEXTS))
        if "uuid" in kinds:
            return self._dice.choice((*IDS, *self._known.values(), *TEXTS))
        if {"integer", "number"} & kinds:
            return str(self._dice.choice((*NUMBERS, *TEXTS)))
        return self._dice.choice((*TEXTS, *IDS, *DATES))

    def _parts(self, schema: Any) -> list[Any]:
        schema = self._resolved(schema)
        return [schema, *(self._resolved(s) for s in schema.get("anyOf", ()))]

    def _resolved(self, schema: Any) -> Any:
        name = schema.get("$ref", "").rpartition("/")[2]
        return self._document["components"]["schemas"][name] if name else schema

    def _body(self, schema: Any, *, spoil: bool, number: int) -> bytes:
        if schema is None:
            return self._dice.choice((*RAW, b"nombre,correo\nAna,a@b.pe\n", LONG.encode()))
        if spoil and number % 4 == 0:
            return self._dice.choice(RAW)
        value = self._value(schema, "")
        if spoil and isinstance(value, dict):
            self._spoil(value, self._resolved(schema))
        return json.dumps(value).encode()

    def _spoil(self, value: dict[str, Any], schema: Any) -> None:
        """Replace one field, somewhere in it, or add one that is not asked for."""
        properties = schema.get("properties", {})
        name = self._dice.choice([*properties, "a field that nobody asked for", "\ud800"])
        inner = next((s for s in self._parts(properties.get(name, {})) if "properties" in s), None)
        if inner and self._dice.random() < 0.7:
            value[name] = self._value(inner, name)
            self._spoil(value[name], inner)
        elif self._dice.random() < 0.5:
            value[name] = self._edge(properties.get(name, {}))
        else:
            value[name] = self._spoiled(name, properties.get(name, {}))

    def _edge(self, schema: Any) -> Any:
        """Return something at the edge of what the schema allows."""
        schema = next((s for s in self._parts(schema) if s.get("type") != "null"), {})
        kind = schema.get("type", "string")
        if kind in ("integer", "number"):
            bounds = [schema[key] for key in ("minimum", "maximum") if key in schema]
            return self._dice.choice(bounds or [-(2**63), 2**63 - 1])
        if kind == "array":
            inner, most = schema.get("items", {}), min(schema.get("maxItems", 60), 60)
            return [self._edge(inner) if "type" in inner else self._value(inner, "")] * most
        if "format" in schema:
            return self._dice.choice(_EDGES.get(schema["format"], IDS))
        if "enum" in schema or "const" in schema or kind == "object":
            return self._value(schema, "")
        text = self._dice.choice(("\x00", "\ud800", "\u202e", "ñ", "'", "%", "\\", "١", "a "))
        return text * min(schema.get("maxLength", 3_000), 3_000)

    def _spoiled(self, name: str, schema: Any) -> Any:
        kinds = {s.get("format") or s.get("type") for s in self._parts(schema)}
        pool: tuple[Any, ...] = (*SHAPES, *TEXTS)
        if {"date", "date-time", "time"} & kinds:
            pool = (*DATES, *NUMBERS, *SHAPES)
        elif "uuid" in kinds:
            pool = (*IDS, *self._known.values(), *SHAPES)
        elif {"integer", "number"} & kinds:
            pool = (*NUMBERS, *NUMBERS, *SHAPES)
        elif "array" in kinds:
            pool = (*SHAPES, list(TEXTS[:8]), [DATES[0]], [IDS[0]] * 3_000, [1.5], [[[]]])
        return self._dice.choice(pool)

    def _value(self, schema: Any, name: str) -> Any:
        """Return something that the schema allows, of what is there where it can be."""
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return self._value(self._dice.choice(schema["anyOf"]), name)
        if name in self._known:
            return self._known[name]
        if "const" in schema or "enum" in schema:
            return schema["const"] if "const" in schema else self._dice.choice(schema["enum"])
        made = _MAKERS.get(schema.get("type", "object"), Forge._object)
        return made(self, schema, name)

    def _text(self, schema: Any, name: str) -> str:
        samples = {
            "uuid": IDS[0],
            "date": "2026-12-01",
            "date-time": "2026-12-01T12:00:00Z",
            "time": "09:00:00",
        }
        text = samples.get(schema.get("format", ""), "PEN" if name == "currency" else "abc")
        longest = schema.get("maxLength", 10_000)
        return (text * (1 + schema.get("minLength", 0) // len(text)))[:longest]

    def _integer(self, schema: Any, name: str) -> int:
        least = schema.get("minimum", 0)
        return int(self._dice.choice([least, least + 1, schema.get("maximum", least + 5)]))

    def _object(self, schema: Any, name: str) -> dict[str, Any]:
        wanted = schema.get("required", [])
        return {
            key: self._value(inner, key)
            for key, inner in schema.get("properties", {}).items()
            if key in wanted or self._dice.random() < 0.25
        }

    def _array(self, schema: Any, name: str) -> list[Any]:
        count = self._dice.choice([max(1, schema.get("minItems", 0)), schema.get("minItems", 0)])
        return [self._value(schema.get("items", {}), name) for _ in range(count)]


_MAKERS: Mapping[str, Any] = {
    "string": Forge._text,
    "integer": Forge._integer,
    "number": Forge._integer,
    "boolean": lambda forge, schema, name: forge._dice.random() < 0.5,
    "null": lambda forge, schema, name: None,
    "array": Forge._array,
    "object": Forge._object,
}
