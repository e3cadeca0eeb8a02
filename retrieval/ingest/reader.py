"""Has files read by a process of their own, which is killed when a file takes too long."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from retrieval.errors import Unreadable
from retrieval.ingest.declared import NOTHING, Declared
from retrieval.ingest.reader_process import CHUNKS, DECLARED, DOCUMENT, LENGTH
from retrieval.models import Chunk, Document

#: Whatever libraries leave behind goes with the process.
_FILES_PER_PROCESS = 500
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """What a file may take.

    Args:
        memory_bytes: of address space, the interpreter and its libraries included.
    """

    seconds: float = 120.0
    memory_bytes: int = 1536 * 2**20


@dataclass(frozen=True, slots=True)
class Reading:
    """A document and its passages."""

    document: Document
    chunks: list[Chunk]


class FileReader:
    """Reads one file at a time; starts its process at the first one.

    Args:
        chunk_tokens: the limit of a passage.
    """

    def __init__(self, *, limits: ReaderLimits = ReaderLimits(), chunk_tokens: int = 200) -> None:
        self._limits = limits
        self._chunk_tokens = chunk_tokens
        self._process: Process | None = None
        self._files = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._stop()

    async def read(
        self, name: str, content: bytes, declared: Declared = NOTHING, *, charset: str = ""
    ) -> Reading:
        """Read a file as a document.

        Raises: Unreadable: with the reason; what the process went down by is one, too.
        """
        head = {
            "name": name,
            "charset": charset,
            "chunk_tokens": self._chunk_tokens,
            "declared": DECLARED.dump_python(declared, mode="json"),
        }
        if self._files >= _FILES_PER_PROCESS:
            await self._stop()
        try:
            async with asyncio.timeout(self._limits.seconds):
                reply = await self._ask(json.dumps(head).encode(), content)
        except TimeoutError:
            await self._stop()
            raise Unreadable("ingest.time", "The file takes longer to read than it may.") from None
        except (OSError, EOFError, asyncio.IncompleteReadError):
            await self._stop()
            raise Unreadable(
                "ingest.memory", "Reading the file broke off; it may take more memory than it may."
            ) from None
        except BaseException:
            await self._stop()
            raise
        if "document" not in reply:
            if reply["code"] == "ingest.memory":
                await self._stop()  # what is left there may not do for the next one
            raise Unreadable(reply["code"], reply["reason"])
        return Reading(
            DOCUMENT.validate_python(reply["document"]), CHUNKS.validate_python(reply["chunks"])
        )

    async def _ask(self, head: bytes, content: bytes) -> dict[str, Any]:
        process = await self._started()
        assert process.stdin is not None, "piped"  # noqa: S101
        assert process.stdout is not None, "piped"  # noqa: S101
        process.stdin.write(LENGTH.pack(len(head), len(content)) + head)
        process.stdin.write(content)
        await process.stdin.drain()
        size, _ = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        reply: dict[str, Any] = json.loads(await process.stdout.readexactly(size))
        self._files += 1
        return reply

    async def _started(self) -> Process:
        if self._process is not None and self._process.returncode is not None:
            await self._stop()
        if self._process is None:
            # Nothing of this process's environment: a hostile file finds no secrets there.
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "retrieval.ingest.reader_process",
                str(self._limits.memory_bytes),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                cwd=_ROOT,
                env={"PATH": os.defpath, "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )
        return self._process

    async def _stop(self) -> None:
        process, self._process, self._files = self._process, None, 0
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        # The pipe's transport is closed with the last of its output.
        await process.communicate()
