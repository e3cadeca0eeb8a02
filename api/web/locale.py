"""Which language a page speaks: what the address asks for, then what the browser prefers."""

from starlette.requests import Request

from api.web.catalogue import LOCALES, Locale


def choose_locale(request: Request, default: Locale) -> Locale:
    """Return the language of `?lang=`, else of Accept-Language, else the institution's."""
    asked = request.query_params.get("lang", "")
    preferred = [asked, *_preferences(request.headers.get("accept-language", ""))]
    known = (locale for tag in preferred for locale in LOCALES if _language(tag) == locale)
    return next(known, default)


def _preferences(header: str) -> list[str]:
    weighted = [_weighted(part) for part in header.split(",")]
    return [tag for tag, weight in sorted(weighted, key=lambda w: -w[1]) if weight > 0]


def _weighted(part: str) -> tuple[str, float]:
    tag, _, quality = part.strip().partition(";q=")
    try:
        return tag, float(quality or 1)
    except ValueError:
        return tag, 0.0


def _language(tag: str) -> str:
    return tag[:2].lower()
