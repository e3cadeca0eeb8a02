-- What of a grant went back to its fund because whoever had it left the course.
ALTER TABLE quotes ADD COLUMN returned_minor bigint NOT NULL DEFAULT 0
    CHECK (returned_minor BETWEEN 0 AND scholarship_minor);
ALTER TABLE quotes ADD CHECK (returned_minor = 0 OR status = 'accepted');

DROP INDEX quotes_fund;
CREATE INDEX quotes_fund ON quotes (scholarship_code)
    INCLUDE (status, scholarship_minor, returned_minor)
    WHERE status IN ('live', 'accepted') AND scholarship_code IS NOT NULL;
