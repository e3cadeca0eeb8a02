"""What every page's handler is given: the services and the reader's language."""

from typing import Annotated

from fastapi import Depends, Request

from api.chat_session import ServicesDep
from api.web.catalogue import Locale
from api.web.locale import choose_locale

__all__ = ["LocaleDep", "ServicesDep"]


def get_locale(request: Request, services: ServicesDep) -> Locale:
    """Return the language in which to answer."""
    return choose_locale(request, services.settings.default_locale)


LocaleDep = Annotated[Locale, Depends(get_locale)]
