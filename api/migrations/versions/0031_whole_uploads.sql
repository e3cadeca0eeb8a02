-- A file is kept whole or not at all: uploads that were under way ended with their process.
DELETE FROM import_parts USING imports
WHERE imports.id = import_parts.import_id AND imports.status = 'uploading';
UPDATE imports SET status = 'failed', error_code = 'import.upload', ended_at = now()
WHERE status = 'uploading';
DROP INDEX imports_uploading;
ALTER TABLE imports DROP CONSTRAINT imports_status_check;
ALTER TABLE imports ADD CONSTRAINT imports_status_check
    CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled'));
