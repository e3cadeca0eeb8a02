-- An ingest of a folder, an upload or a sitemap, in the background. Whoever has it writes its epoch
-- with every document; a claim that runs out lets another process go on.
CREATE TABLE ingest_jobs (
    id            uuid PRIMARY KEY,
    source        text NOT NULL CHECK (source IN ('folder', 'upload', 'sitemap')),
    place         text NOT NULL,
    collection    text NOT NULL,
    declared      jsonb NOT NULL,
    complete      boolean NOT NULL, -- what the collection holds besides is withdrawn
    staff_id      uuid,
    status        text NOT NULL
        CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    error_code    text,
    reason        text,
    listed        boolean NOT NULL DEFAULT false,
    items_total   integer NOT NULL DEFAULT 0,
    items_done    integer NOT NULL DEFAULT 0,
    added         integer NOT NULL DEFAULT 0,
    changed       integer NOT NULL DEFAULT 0,
    updated       integer NOT NULL DEFAULT 0,
    unchanged     integer NOT NULL DEFAULT 0,
    set_aside     integer NOT NULL DEFAULT 0,
    withdrawn     integer NOT NULL DEFAULT 0,
    epoch         integer NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz
);
CREATE INDEX ingest_jobs_recent ON ingest_jobs (created_at DESC, id DESC);
CREATE INDEX ingest_jobs_due ON ingest_jobs (created_at, id) WHERE status IN ('queued', 'running');
CREATE INDEX ingest_jobs_ended ON ingest_jobs (ended_at) WHERE ended_at IS NOT NULL;

-- The files or pages of a job; without an outcome they wait.
CREATE TABLE ingest_items (
    job_id      uuid NOT NULL REFERENCES ingest_jobs ON DELETE CASCADE,
    name        text NOT NULL,
    attempts    integer NOT NULL DEFAULT 0, -- that ended the process
    outcome     text CHECK (outcome IN ('added', 'changed', 'updated', 'unchanged', 'set_aside')),
    document_id text,
    code        text,
    reason      text,
    PRIMARY KEY (job_id, name)
);
CREATE INDEX ingest_items_waiting ON ingest_items (job_id, name) WHERE outcome IS NULL;
CREATE INDEX ingest_items_set_aside ON ingest_items (job_id, name) WHERE outcome = 'set_aside';
-- Of two files with one slug and language the first one is taken.
CREATE UNIQUE INDEX ingest_items_document ON ingest_items (job_id, document_id);

CREATE TABLE ingest_uploads (
    job_id  uuid NOT NULL REFERENCES ingest_jobs ON DELETE CASCADE,
    part    integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (job_id, part)
);

-- What servers said of pages, to be asked only for what has changed.
CREATE TABLE ingest_pages (
    collection    text NOT NULL,
    url           text NOT NULL,
    document_id   text NOT NULL,
    etag          text NOT NULL,
    last_modified text NOT NULL,
    PRIMARY KEY (collection, url)
);
CREATE INDEX ingest_pages_document ON ingest_pages (document_id);

CREATE INDEX search_documents_path ON search_documents (collection, path) WHERE current;
