-- Whose vectors there are. The one that serves is searched; one that fills takes over when every
-- chunk has its vector; what was retired is deleted a little later.
CREATE TABLE search_embedders (
    id         text PRIMARY KEY, -- name@version
    dimensions integer NOT NULL CHECK (dimensions BETWEEN 1 AND 4000), -- what HNSW can index
    state      text NOT NULL CHECK (state IN ('serving', 'filling', 'retired')),
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX search_embedders_state ON search_embedders (state) WHERE state <> 'retired';

-- One row a chunk and embedder. The HNSW indexes, one for each embedder and language, are made by
-- code when an embedder is first used, and go with it.
CREATE TABLE search_vectors (
    chunk_id  bigint NOT NULL REFERENCES search_chunks ON DELETE CASCADE,
    embedder  text NOT NULL REFERENCES search_embedders,
    kind      text NOT NULL,
    language  text NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (chunk_id, embedder)
);

-- Who makes which vector now.
CREATE TABLE search_claims (
    chunk_id      bigint NOT NULL REFERENCES search_chunks ON DELETE CASCADE,
    embedder      text NOT NULL,
    claimed_until timestamptz NOT NULL,
    PRIMARY KEY (chunk_id, embedder)
);

INSERT INTO search_embedders (id, dimensions, state)
SELECT embedder, 384,
       CASE row_number() OVER (ORDER BY count(*) DESC, embedder) WHEN 1 THEN 'serving'
                                                                 ELSE 'retired' END
  FROM search_chunks WHERE embedder IS NOT NULL GROUP BY embedder;
INSERT INTO search_vectors (chunk_id, embedder, kind, language, embedding)
SELECT id, embedder, kind, language, embedding FROM search_chunks WHERE embedding IS NOT NULL;

DROP INDEX search_chunks_pending, search_chunks_embedder, search_chunks_nearest_es,
    search_chunks_nearest_en, search_chunks_filter;
ALTER TABLE search_chunks DROP COLUMN embedding, DROP COLUMN embedder, DROP COLUMN claimed_until;

-- All that a scope asks for is in the index: how many chunks it lets through is told by it alone.
CREATE INDEX search_chunks_scope ON search_chunks (kind, language, audience, topic, slug)
    INCLUDE (id, valid_from, valid_to);

DELETE FROM search_centres WHERE embedder NOT IN (SELECT id FROM search_embedders);
ALTER TABLE search_centres
    ALTER COLUMN centre TYPE halfvec,
    ADD FOREIGN KEY (embedder) REFERENCES search_embedders (id) ON DELETE CASCADE;
