"""Serves the widget, the stylesheet, the pictures and the consoles' scripts."""

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.routing import Chapter
from api.web.assets import Asset, page_stylesheet, static_asset, widget_script

router = Chapter(include_in_schema=False)

#: A browser asks again each time, and mostly learns that nothing has changed.
_HEADERS = {
    "Cache-Control": "public, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}


@router.get("/widget.js")
async def widget(request: Request) -> Response:
    """Serve the chat widget: one script for any page."""
    return _serve(request, widget_script())


@router.get("/static/orienta.css")
async def stylesheet(request: Request) -> Response:
    """Serve the stylesheet of the pages."""
    return _serve(request, page_stylesheet())


@router.get("/static/{name:path}")
async def static_file(request: Request, name: str) -> Response:
    """Serve a picture or a script of the pages."""
    asset = static_asset(name)
    if asset is None:
        raise HTTPException(404)
    return _serve(request, asset)


def _serve(request: Request, asset: Asset) -> Response:
    headers = {**_HEADERS, "ETag": asset.etag}
    if request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.gzipped, media_type=asset.media_type, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)
