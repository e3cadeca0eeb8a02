"""A file that takes too long or too much goes down alone; the next one is read."""

import os
from pathlib import Path

import pytest

from retrieval.errors import Unreadable
from retrieval.ingest.declared import Declared
from retrieval.ingest.reader import FileReader, ReaderLimits
from tests.files import pdf

GOOD = b"# Becas\n\nLas becas se piden en marzo, en la secretar\xc3\xada."


def environment_of(pid: int) -> bytes:
    path = Path(f"/proc/{pid}/environ")
    return path.read_bytes() if path.exists() else b""


async def test_files_are_read_one_after_the_other() -> None:
    async with FileReader(chunk_tokens=50) as reader:
        first = await reader.read("becas.md", GOOD)
        declared = Declared(fixed={"slug": "pinned", "valid_from": "2026-12-01"})
        second = await reader.read("otro.md", GOOD, declared)
    assert first.document.id == "kb:becas:es"
    assert [c.text for c in first.chunks] == ["Las becas se piden en marzo, en la secretaría."]
    assert (second.document.slug, str(second.document.valid_from)) == ("pinned", "2026-12-01")


async def test_a_file_that_takes_too_long_is_stopped_and_the_next_one_is_read() -> None:
    slow = pdf([("p", f"Párrafo número {n} de un documento muy largo.") for n in range(4_000)])
    async with FileReader(limits=ReaderLimits(seconds=1.5)) as reader:
        with pytest.raises(Unreadable) as refused:
            await reader.read("slow.pdf", slow)
    assert refused.value.code == "ingest.time"
    async with FileReader() as reader:
        assert (await reader.read("becas.md", GOOD)).document.slug == "becas"


async def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_one_is_read() -> None:
    large = b"<p>" + b"<b>x</b> " * 600_000
    async with FileReader(limits=ReaderLimits(memory_bytes=400 * 2**20)) as reader:
        with pytest.raises(Unreadable) as refused:
            await reader.read("large.html", large)
        assert refused.value.code == "ingest.memory"
        assert (await reader.read("becas.md", GOOD)).document.slug == "becas"


async def test_a_bad_file_does_not_end_the_process() -> None:
    async with FileReader() as reader:
        for content in (b"%PDF-1.7 nonsense", b"PK\x03\x04", b"---\ntitle: [\n---\nx", b""):
            with pytest.raises(Unreadable):
                await reader.read("bad.md", content)
        assert (await reader.read("becas.md", GOOD)).document.slug == "becas"


async def test_the_process_knows_no_secret_and_ends_with_its_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORIENTA_MASTER_KEY", "secret")
    async with FileReader() as reader:
        await reader.read("becas.md", GOOD)
        process = reader._process
        assert process is not None
        assert b"ORIENTA" not in environment_of(process.pid)
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
