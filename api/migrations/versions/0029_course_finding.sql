CREATE INDEX courses_title_es ON courses (fold(title_es) text_pattern_ops) WHERE active;
CREATE INDEX courses_title_en ON courses (fold(title_en) text_pattern_ops) WHERE active;
CREATE INDEX courses_code ON courses (lower(code) text_pattern_ops) WHERE active;

-- The words of all titles: few, so that what somebody mistyped is found among them at once. A word
-- that no title has any more corrects to nothing and does no harm.
CREATE TABLE title_words (word text PRIMARY KEY);
CREATE INDEX title_words_trigrams ON title_words USING gin (word gin_trgm_ops);
CREATE FUNCTION title_words_of(title_es text, title_en text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE
    AS $$
        SELECT DISTINCT w FROM regexp_split_to_table(
            public.fold(title_es || ' ' || title_en), '[^[:alnum:]+#]+') AS w
        WHERE length(w) >= 3 ORDER BY w
    $$;
CREATE FUNCTION note_title_words() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO title_words SELECT title_words_of(NEW.title_es, NEW.title_en)
            ON CONFLICT DO NOTHING;
        RETURN NULL;
    END
$$;
CREATE TRIGGER courses_title_words AFTER INSERT OR UPDATE OF title_es, title_en ON courses
    FOR EACH ROW EXECUTE FUNCTION note_title_words();
INSERT INTO title_words
    SELECT DISTINCT w FROM courses, LATERAL title_words_of(title_es, title_en) AS w;

-- What a catalogue is counted by, so that counting need not read the courses' texts.
CREATE INDEX courses_facets ON courses (code)
    INCLUDE (area, level, language, price_minor, currency) WHERE active;
CREATE INDEX cohorts_offered ON cohorts (course_code, starts_on)
    INCLUDE (id, modality, enrolment_closes, seats, blocked_seats, price_minor, currency)
    WHERE status = 'open';

-- Matrices of courses: no row of it, and no number in it, belongs to a person; nothing has to be
-- erased here when somebody is.
CREATE TABLE recommenders (
    version    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trained_at timestamptz NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('blend', 'prior')),
    enrolments bigint NOT NULL,
    measures   jsonb NOT NULL,
    packed     bytea NOT NULL CHECK (length(packed) <= 33554432)
);
