-- Folding costs more than comparing: a search that compares thousands of names must not fold them.
ALTER TABLE people ADD COLUMN folded_name text GENERATED ALWAYS AS (fold(full_name)) STORED;
DROP INDEX people_name;
CREATE INDEX people_name ON people USING gin (folded_name gin_trgm_ops);
