CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Stems of folded text. People leave accents out, and the Spanish stemmer knows "-ciones" without
-- its accent but not "-cion": the plural is brought to the singular first, on both sides.
CREATE FUNCTION search_vector(language text, content text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    AS $$
        SELECT CASE language
            WHEN 'es' THEN to_tsvector(
                'pg_catalog.spanish'::regconfig,
                regexp_replace(public.fold(content), '([cs])iones\M', '\1ion', 'g'))
            ELSE to_tsvector('pg_catalog.english'::regconfig, public.fold(content))
        END
    $$;

-- Every version stays readable; only the current one has chunks.
CREATE TABLE search_documents (
    id           text NOT NULL,
    version      integer NOT NULL CHECK (version > 0),
    current      boolean NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('knowledge', 'course')),
    slug         text NOT NULL,
    language     text NOT NULL CHECK (language IN ('es', 'en')),
    audience     text NOT NULL CHECK (audience IN ('public', 'students', 'staff')),
    topic        text NOT NULL,
    title        text NOT NULL,
    format       text NOT NULL CHECK (format IN ('markdown', 'html')),
    body         text NOT NULL,
    url          text NOT NULL,
    valid_from   date,
    metadata     jsonb NOT NULL,
    collection   text NOT NULL,
    path         text NOT NULL,
    content_hash bytea NOT NULL,
    chunks_hash  bytea NOT NULL,
    ingested_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, version)
);
CREATE UNIQUE INDEX search_documents_current ON search_documents (id) WHERE current;
CREATE INDEX search_documents_slug ON search_documents (kind, slug, language, version DESC);
CREATE INDEX search_documents_kind ON search_documents (kind, id) WHERE current;
CREATE INDEX search_documents_collection ON search_documents (collection, id) WHERE current;

-- The filters are copied from the document, so that one row decides whether it may be shown.
-- The full-text column comes before the vector index (building them the other way round is slow).
CREATE TABLE search_chunks (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id   text NOT NULL,
    version       integer NOT NULL,
    ordinal       integer NOT NULL,
    kind          text NOT NULL,
    slug          text NOT NULL,
    language      text NOT NULL,
    audience      text NOT NULL,
    anchor        text NOT NULL,
    headings      text NOT NULL, -- one a line, the document's title first
    body          text NOT NULL,
    tokens        integer NOT NULL,
    text_hash     bytea NOT NULL,
    lexemes       tsvector NOT NULL
        GENERATED ALWAYS AS (search_vector(language, headings || E'\n' || body)) STORED,
    embedding     halfvec(384),
    embedder      text,
    claimed_until timestamptz,
    UNIQUE (document_id, version, ordinal),
    FOREIGN KEY (document_id, version) REFERENCES search_documents (id, version) ON DELETE CASCADE,
    CHECK ((embedding IS NULL) = (embedder IS NULL))
);
CREATE INDEX search_chunks_lexemes ON search_chunks USING gin (lexemes);
CREATE INDEX search_chunks_filter ON search_chunks (kind, language, audience);
CREATE INDEX search_chunks_pending ON search_chunks (id) WHERE embedding IS NULL;
CREATE INDEX search_chunks_embedder ON search_chunks (embedder) WHERE embedding IS NOT NULL;
CREATE INDEX search_chunks_nearest_es ON search_chunks
    USING hnsw (embedding halfvec_ip_ops) WHERE language = 'es';
CREATE INDEX search_chunks_nearest_en ON search_chunks
    USING hnsw (embedding halfvec_ip_ops) WHERE language = 'en';

-- How many chunks of a corpus hold a lexeme: what makes a word rare, and what a typo may mean.
CREATE TABLE search_vocabulary (
    kind     text NOT NULL,
    language text NOT NULL,
    lexeme   text NOT NULL,
    chunks   integer NOT NULL,
    PRIMARY KEY (kind, language, lexeme)
);
CREATE INDEX search_vocabulary_trigrams ON search_vocabulary USING gin (lexeme gin_trgm_ops);

CREATE TABLE search_corpora (
    kind         text NOT NULL,
    language     text NOT NULL,
    chunks       integer NOT NULL,
    mean_lexemes real NOT NULL,
    PRIMARY KEY (kind, language)
);

-- The mean vector of a corpus; it is subtracted, so that languages can be compared.
CREATE TABLE search_centres (
    kind     text NOT NULL,
    language text NOT NULL,
    embedder text NOT NULL,
    chunks   integer NOT NULL,
    centre   halfvec(384) NOT NULL,
    PRIMARY KEY (kind, language, embedder)
);
