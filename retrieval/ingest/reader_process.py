"""The process that reads hostile files: `python -m retrieval.ingest.reader_process`.

It has no secrets and no connections, and as much memory as it is told; who started it kills it when
a file takes too long. A request and an answer are a length, then JSON; a request's file follows.
"""

import contextlib
import json
import os
import struct
import sys
from typing import Any, BinaryIO

from pydantic import TypeAdapter

from retrieval.errors import RetrievalError
from retrieval.ingest.chunk import chunk_document
from retrieval.ingest.declared import Declared
from retrieval.ingest.reading import read_document
from retrieval.models import Chunk, Document

LENGTH = struct.Struct(">II")
DECLARED = TypeAdapter(Declared)
DOCUMENT = TypeAdapter(Document)
CHUNKS = TypeAdapter(list[Chunk])


def answer(head: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Read one file; a failure is an answer, too."""
    try:
        declared = DECLARED.validate_python(head["declared"])
        document = read_document(head["name"], content, declared, charset=head["charset"])
        chunks = chunk_document(document, limit=head["chunk_tokens"])
    except RetrievalError as reason:
        return {"code": reason.code, "reason": reason.safe_message}
    except MemoryError:
        return {"code": "ingest.memory", "reason": "The file takes more memory than it may."}
    except RecursionError:
        return {"code": "ingest.nesting", "reason": "The file is nested too deeply."}
    return {
        "document": DOCUMENT.dump_python(document, mode="json"),
        "chunks": CHUNKS.dump_python(chunks, mode="json"),
    }


def limit_memory(most_bytes: int) -> None:
    """Let allocations fail above a limit, and leave no core behind."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until whoever asks is gone."""
    while len(prefix := requests.read(LENGTH.size)) == LENGTH.size:
        head_size, content_size = LENGTH.unpack(prefix)
        head = json.loads(requests.read(head_size))
        content = requests.read(content_size)
        if len(content) < content_size:
            return
        try:
            reply = answer(head, content)
        except Exception:  # noqa: BLE001 (libraries fail on hostile input in any way they like)
            reply = {"code": "ingest.damaged", "reason": "The file is damaged."}
        body = json.dumps(reply).encode()
        answers.write(LENGTH.pack(len(body), 0) + body)
        answers.flush()


def main() -> None:
    """Read files from the standard input; what libraries print goes nowhere."""
    limit_memory(int(sys.argv[1]))
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(requests, answers)


if __name__ == "__main__":
    main()
