-- What a corpus holds is counted by what changes, not anew each time: triggers note which words and
-- which vectors came and went, whatever took them, and a refresh adds that up.
CREATE TABLE search_word_changes (
    kind     text NOT NULL,
    language text NOT NULL,
    chunks   integer NOT NULL, -- 1: came, -1: went
    lexemes  text[] NOT NULL
);

CREATE TABLE search_vector_changes (
    embedder text NOT NULL,
    kind     text NOT NULL,
    language text NOT NULL,
    chunks   integer NOT NULL, -- less than 0: went
    total    vector NOT NULL   -- the sum of their vectors
);
CREATE INDEX search_vector_changes_embedder ON search_vector_changes (embedder);

-- The texts of a chunk never change: it goes, and another comes.
CREATE FUNCTION note_search_words() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        INSERT INTO search_word_changes (kind, language, chunks, lexemes)
        SELECT kind, language, CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END,
               tsvector_to_array(lexemes)
          FROM changed;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER note_new_search_words AFTER INSERT ON search_chunks
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_search_words();
CREATE TRIGGER note_old_search_words AFTER DELETE ON search_chunks
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_search_words();

CREATE FUNCTION note_search_vectors() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        INSERT INTO search_vector_changes (embedder, kind, language, chunks, total)
        SELECT embedder, kind, language,
               CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END, sum(embedding::vector)
          FROM changed GROUP BY embedder, kind, language;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER note_new_search_vectors AFTER INSERT ON search_vectors
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_search_vectors();
CREATE TRIGGER note_old_search_vectors AFTER DELETE ON search_vectors
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_search_vectors();

CREATE FUNCTION forget_search_counts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        DELETE FROM search_word_changes;
        DELETE FROM search_vocabulary;
        DELETE FROM search_corpora;
        DELETE FROM search_vector_changes;
        DELETE FROM search_centres;
        RETURN NULL;
    END
    $$;
CREATE TRIGGER forget_search_counts AFTER TRUNCATE ON search_chunks
    FOR EACH STATEMENT EXECUTE FUNCTION forget_search_counts();

DROP TABLE search_corpora;
CREATE TABLE search_corpora (
    kind         text NOT NULL,
    language     text NOT NULL,
    chunks       integer NOT NULL,
    lexemes      bigint NOT NULL, -- of all chunks together
    mean_lexemes real NOT NULL GENERATED ALWAYS AS
        (CASE WHEN chunks > 0 THEN lexemes::real / chunks ELSE 1 END) STORED,
    PRIMARY KEY (kind, language)
);
DELETE FROM search_vocabulary;
INSERT INTO search_corpora (kind, language, chunks, lexemes)
SELECT kind, language, count(*), sum(length(lexemes)) FROM search_chunks GROUP BY kind, language;
INSERT INTO search_vocabulary (kind, language, lexeme, chunks)
SELECT c.kind, c.language, s.word, s.ndoc
  FROM search_corpora c
 CROSS JOIN LATERAL ts_stat(format(
        'SELECT lexemes FROM public.search_chunks WHERE kind = %L AND language = %L',
        c.kind, c.language)) AS s;

DELETE FROM search_centres;
ALTER TABLE search_centres DROP COLUMN centre, ADD COLUMN total vector NOT NULL; -- the sum
INSERT INTO search_centres (kind, language, embedder, chunks, total)
SELECT kind, language, embedder, count(*), sum(embedding::vector)
  FROM search_vectors GROUP BY kind, language, embedder;
