"""The script and the stylesheet that browsers load, composed from their sources once a process."""

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from api.web.catalogue import LOCALES, strings_under

WEB_ROOT = Path(__file__).parent

#: Each module imports only from those before it; the last one starts the widget.
WIDGET_MODULES = (
    "dom.js",
    "icons.js",
    "words.js",
    "problems.js",
    "markup.js",
    "api.js",
    "stream.js",
    "vault.js",
    "transcript.js",
    "outbox.js",
    "session.js",
    "events.js",
    "chat.js",
    "announcer.js",
    "views/message.js",
    "views/confirmation.js",
    "views/rows.js",
    "views/composer.js",
    "views/verification.js",
    "views/header.js",
    "views/welcome.js",
    "panel.js",
    "element.js",
    "start.js",
)
WIDGET_STYLES = ("tokens.css", "widget.css", "widget-messages.css", "widget-forms.css")
PAGE_STYLES = (
    "tokens.css",
    "base.css",
    "site.css",
    "course.css",
    "document.css",
    "console.css",
    "till.css",
    "certificate.css",
)

#: What `/static/` serves beside the stylesheet; the consoles build on two of the widget's modules.
_SOURCES = {
    "mark.svg": ("static", "mark.svg"),
    "andes.svg": ("static", "andes.svg"),
    "console/admin.js": ("console", "admin.js"),
    "console/advisor.js": ("console", "advisor.js"),
    "console/conversation.js": ("console", "conversation.js"),
    "console/frame.js": ("console", "frame.js"),
    "console/staff.js": ("console", "staff.js"),
    "console/tables.js": ("console", "tables.js"),
    "console/words.js": ("console", "words.js"),
    "widget/dom.js": ("widget", "dom.js"),
    "widget/markup.js": ("widget", "markup.js"),
}
_MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

_IMPORT = re.compile(r"^import\s[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:class|const|function))", re.MULTILINE)
_COMMENT = re.compile(r"^\s*/\*.*?\*/\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asset:
    """A text that a browser loads.

    Args:
        etag: tells a browser whether it has this text already.
    """

    body: bytes
    gzipped: bytes
    media_type: str
    etag: str


@cache
def widget_script() -> Asset:
    """Return the widget: its modules in one scope, with its words and its styles inside."""
    words = {locale: strings_under(locale, "widget.") for locale in LOCALES}
    parts = [
        '"use strict";',
        f"const STRINGS = {json.dumps(words, ensure_ascii=False)};",
        f"const STYLES = {json.dumps(_joined_styles(WIDGET_STYLES), ensure_ascii=False)};",
        *(_as_plain_script(WEB_ROOT / "widget" / name) for name in WIDGET_MODULES),
    ]
    return _asset("(() => {\n" + "\n".join(parts) + "\n})();\n", "text/javascript; charset=utf-8")


@cache
def page_stylesheet() -> Asset:
    """Return the one stylesheet of the pages."""
    return _asset(_joined_styles(PAGE_STYLES), "text/css; charset=utf-8")


@cache
def static_asset(name: str) -> Asset | None:
    """Return a picture or a script of the pages; None for any other name."""
    path = WEB_ROOT.joinpath(*_SOURCES[name]) if name in _SOURCES else None
    return _asset(path.read_text("utf-8"), _MEDIA_TYPES[path.suffix]) if path else None


def _as_plain_script(path: Path) -> str:
    """Drop a module's imports and exports: in the composed script all share one scope."""
    return _EXPORT.sub("", _IMPORT.sub("", path.read_text("utf-8")))


def _joined_styles(names: tuple[str, ...]) -> str:
    sheets = ((WEB_ROOT / "styles" / name).read_text("utf-8") for name in names)
    return _COMMENT.sub("", "\n".join(sheets))


def _asset(text: str, media_type: str) -> Asset:
    body = text.encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return Asset(body, gzip.compress(body, mtime=0), media_type, etag)
