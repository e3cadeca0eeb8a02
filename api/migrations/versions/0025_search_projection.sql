-- The indexes of a search server, a set of them at a time. None: searches stay in this database.
CREATE TABLE search_generations (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state      text NOT NULL CHECK (state IN ('planned', 'building', 'serving', 'retired')),
    shape      text NOT NULL,   -- names how texts are analysed and which fields there are
    embedder   text,            -- whose vectors it holds
    dimensions integer CHECK ((dimensions IS NULL) = (embedder IS NULL)),
    chunks     bigint NOT NULL DEFAULT 0, -- how many were to be copied
    begun_at   timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX search_generations_serving ON search_generations (state)
    WHERE state = 'serving';
CREATE UNIQUE INDEX search_generations_next ON search_generations ((true))
    WHERE state IN ('planned', 'building');

-- Names changes and claims in the order in which they happen to a chunk.
CREATE SEQUENCE search_change_seq;

-- Chunks that differ from what an index holds. Which way is looked up when the change is sent: a
-- chunk that is no more is deleted there. One row a chunk, so that one sender at a time has it.
CREATE TABLE search_changes (
    generation    bigint NOT NULL REFERENCES search_generations (id) ON DELETE CASCADE,
    chunk_id      bigint NOT NULL,
    kind          text NOT NULL,
    language      text NOT NULL,
    change        bigint NOT NULL DEFAULT nextval('search_change_seq'),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    claim         bigint,
    claimed_until timestamptz,
    attempts      integer NOT NULL DEFAULT 0,
    available_at  timestamptz NOT NULL DEFAULT now(),
    set_aside_at  timestamptz,
    reason        text,
    PRIMARY KEY (generation, chunk_id)
);
CREATE INDEX search_changes_due ON search_changes (generation, available_at)
    WHERE set_aside_at IS NULL;
CREATE INDEX search_changes_set_aside ON search_changes (generation, chunk_id)
    WHERE set_aside_at IS NOT NULL;

-- Triggers, so that no way of changing a chunk is left out, a cascade from its document neither.
-- The order of the rows keeps two writers of the same chunks from waiting for each other.
CREATE FUNCTION queue_search_changes() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        INSERT INTO search_changes (generation, chunk_id, kind, language)
        SELECT g.id, c.id, c.kind, c.language
          FROM changed c CROSS JOIN search_generations g
         WHERE g.state <> 'retired'
         ORDER BY g.id, c.id
            ON CONFLICT (generation, chunk_id) DO UPDATE
           SET change = nextval('search_change_seq'), changed_at = now(), available_at = now(),
               attempts = 0, set_aside_at = NULL, reason = NULL;
        RETURN NULL;
    END
    $$;

CREATE TRIGGER queue_new_search_chunks AFTER INSERT ON search_chunks
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_search_changes();
CREATE TRIGGER queue_old_search_chunks AFTER DELETE ON search_chunks
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_search_changes();
CREATE TRIGGER queue_changed_search_chunks AFTER UPDATE ON search_chunks
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_search_changes();

-- Vectors that an index holds. Those of a retired embedder are deleted without a word: an index
-- that still has them is being built anew.
CREATE FUNCTION queue_search_vectors() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        INSERT INTO search_changes (generation, chunk_id, kind, language)
        SELECT g.id, v.chunk_id, v.kind, v.language
          FROM changed v JOIN search_generations g ON g.embedder = v.embedder
         WHERE g.state <> 'retired'
         ORDER BY g.id, v.chunk_id
            ON CONFLICT (generation, chunk_id) DO UPDATE
           SET change = nextval('search_change_seq'), changed_at = now(), available_at = now(),
               attempts = 0, set_aside_at = NULL, reason = NULL;
        RETURN NULL;
    END
    $$;

CREATE TRIGGER queue_new_search_vectors AFTER INSERT ON search_vectors
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_search_vectors();
CREATE TRIGGER queue_changed_search_vectors AFTER UPDATE ON search_vectors
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION queue_search_vectors();
