"""What is stored of a student's conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from tests.chat_client import ChatClient


def count(database_url: str, table: str, student: ChatClient, more: str = "") -> int:
    """Return how many rows of a table belong to the conversation."""
    with psycopg.connect(database_url) as conn:
        row = conn.execute(
            f"SELECT count(*) FROM {table} WHERE conversation_id = %s {more}",
            [student.conversation_id],
        ).fetchone()
    return row[0] if row else 0
