-- Files whose upload broke off with its process; what had come of them does not stay.
CREATE INDEX imports_uploading ON imports (created_at) WHERE status = 'uploading';
