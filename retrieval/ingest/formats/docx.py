"""Reads Word documents by way of HTML: headings, lists and tables stay what they are."""

import io
import re
import zipfile
from html import unescape

from retrieval.errors import Unreadable
from retrieval.ingest.draft import Draft

_MAX_MEMBERS = 5_000
_MAX_UNPACKED = 200 * 1024 * 1024
#: Text packs to a tenth, at times to a fiftieth; a bomb to a thousandth.
_MAX_RATIO = 200
_SMALL = 1024 * 1024
_DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Título'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Título 1'] => h1:fresh
p[style-name='Título 2'] => h2:fresh
p[style-name='Título 3'] => h3:fresh
p[style-name='Título 4'] => h4:fresh
u => em
strike =>
"""


def read_docx(content: bytes) -> Draft:
    """Read a document; pictures are left out, nothing is fetched.

    Raises: Unreadable("ingest.archive" | "ingest.docx").
    """
    import mammoth

    title = _checked(content)
    try:
        html = mammoth.convert_to_html(
            io.BytesIO(content),
            style_map=_STYLES,
            convert_image=mammoth.images.img_element(lambda _: {}),
            external_file_access=False,
        ).value
    except (MemoryError, RecursionError):
        raise
    except Exception as broken:
        raise Unreadable("ingest.docx", "The Word document is damaged.") from broken
    return Draft(re.sub(r"<img[^>]*>", "", html), "html", title=title)


def _checked(content: bytes) -> str:
    """Return the title among the properties, after a look at what the archive holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_sizes(archive.infolist())
            parts = [i for i in archive.infolist() if i.filename.endswith((".xml", ".rels"))]
            for part in parts:
                _check_xml(archive.read(part))
            names = {i.filename for i in parts}
            core = archive.read("docProps/core.xml") if "docProps/core.xml" in names else b""
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, RuntimeError) as broken:
        raise Unreadable("ingest.archive", "The file is a broken archive.") from broken
    found = re.search(r"<dc:title>([^<]{1,300})</dc:title>", core.decode("utf-8", "replace"))
    return " ".join(unescape(found.group(1)).split()) if found else ""


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(m.file_size for m in members)
    if len(members) > _MAX_MEMBERS or unpacked > _MAX_UNPACKED:
        raise Unreadable("ingest.bomb", "The file unpacks to more than is allowed.")
    for member in members:
        if member.flag_bits & 1:
            raise Unreadable("ingest.encrypted", "The file is encrypted.")
        packed = max(member.compress_size, 1)
        if member.file_size > _SMALL and member.file_size / packed > _MAX_RATIO:
            raise Unreadable("ingest.bomb", "The file unpacks to more than is allowed.")


def _check_xml(part: bytes) -> None:
    """Refuse entities: Word writes none, and they can grow without end or name other files."""
    if part[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in part[:64]:
        part = part.replace(b"\x00", b"")
    if _DECLARATION.search(part):
        raise Unreadable(
            "ingest.entities", "The file declares XML entities, as none of Word's does."
        )
