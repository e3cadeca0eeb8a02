-- A version holds from one day to another. `ends_on` is the day on which it ends: its own
-- `valid_to`, or the day on which the next version begins. `current` now tells what may still be
-- found, today or later: several versions of a document, on different days.
ALTER TABLE search_documents
    ADD COLUMN valid_to date,
    ADD COLUMN ends_on date;
DROP INDEX search_documents_current;
CREATE INDEX search_documents_current ON search_documents (id, version) WHERE current;

-- The filters of a search, copied from the document.
ALTER TABLE search_chunks
    ADD COLUMN topic text NOT NULL DEFAULT '',
    ADD COLUMN valid_from date,
    ADD COLUMN valid_to date;
UPDATE search_chunks c SET topic = d.topic, valid_from = d.valid_from
  FROM search_documents d
 WHERE d.id = c.document_id AND d.version = c.version;
ALTER TABLE search_chunks ALTER COLUMN topic DROP DEFAULT;
