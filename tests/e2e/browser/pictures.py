"""Makes screenshots small enough to keep beside the code: 256 colours, well packed."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from playwright.async_api import Page

#: Set to a folder to keep the pictures; those in `docs/screenshots` were made so.
KEEP = os.environ.get("ORIENTA_SCREENSHOTS")
_COLOURS = 256
#: The browser has a PNG decoder; the page's own policy does not stand in the way of a blob.
_PIXELS = """
async (encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const { data } = canvas.getImageData(0, 0, image.width, image.height);
  let text = "";
  for (let at = 0; at < data.length; at += 32768) {
    text += String.fromCharCode(...data.subarray(at, at + 32768));
  }
  return [image.width, image.height, btoa(text)];
}
"""


async def take_picture(page: Page, name: str) -> bytes:
    """Take a picture of what is on the screen, and keep it if somebody asked for that."""
    picture = await page.screenshot(animations="disabled")
    if KEEP:
        small = await _shrink(page, picture)
        await asyncio.to_thread(Path(KEEP, f"{name}.png").write_bytes, small)
    return picture


async def _shrink(page: Page, picture: bytes) -> bytes:
    """Return a PNG of the same picture with a palette."""
    width, height, text = await page.evaluate(_PIXELS, base64.b64encode(picture).decode())
    raw = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)
    palette, indexes = _quantise(raw[:, :, :3])
    return _png(palette, indexes)


def _quantise(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Keep the colours that are seen most and give every pixel the nearest of them."""
    packed = pixels.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.int32)
    kept = rgb[np.argsort(-counts)[:_COLOURS]]
    nearest = np.concatenate(
        [((part[:, None] - kept) ** 2).sum(2).argmin(1) for part in np.array_split(rgb, 64)]
    )
    return kept.astype(np.uint8), nearest[where].reshape(pixels.shape[:2]).astype(np.uint8)


def _png(palette: NDArray[np.uint8], indexes: NDArray[np.uint8]) -> bytes:
    height, width = indexes.shape
    lines = np.pad(indexes, ((0, 0), (1, 0))).tobytes()
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette.tobytes()),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
