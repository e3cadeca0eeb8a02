CREATE TABLE imports (
    id            uuid PRIMARY KEY,
    kind          text NOT NULL CHECK (kind IN ('people', 'leads', 'courses')),
    file_name     text NOT NULL,
    sha256        bytea,
    size_bytes    bigint NOT NULL DEFAULT 0,
    columns       jsonb NOT NULL DEFAULT '{}',
    duplicates    text NOT NULL CHECK (duplicates IN ('skip', 'update', 'fail')),
    dry_run       boolean NOT NULL,
    status        text NOT NULL
        CHECK (status IN ('uploading', 'queued', 'running', 'done', 'failed', 'cancelled')),
    error_code    text,
    staff_id      uuid REFERENCES staff (id),
    lines_total   bigint NOT NULL DEFAULT 0,
    lines_done    bigint NOT NULL DEFAULT 0,
    created       bigint NOT NULL DEFAULT 0,
    updated       bigint NOT NULL DEFAULT 0,
    skipped       bigint NOT NULL DEFAULT 0,
    failed        bigint NOT NULL DEFAULT 0,
    epoch         integer NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    created_at    timestamptz NOT NULL,
    ended_at      timestamptz
);
CREATE INDEX imports_recent ON imports (created_at DESC, id DESC);
CREATE INDEX imports_due ON imports (created_at, id) WHERE status IN ('queued', 'running');
-- Files that were never run, or were tried only; they hold personal data and do not stay.
CREATE INDEX imports_idle ON imports (created_at) WHERE size_bytes > 0;

CREATE TABLE import_parts (
    import_id uuid NOT NULL REFERENCES imports (id),
    part      integer NOT NULL,
    content   bytea NOT NULL,
    PRIMARY KEY (import_id, part)
);

-- What is wrong with a line; never what stands in it.
CREATE TABLE import_errors (
    import_id uuid NOT NULL REFERENCES imports (id),
    line      bigint NOT NULL,
    field     text,
    code      text NOT NULL,
    message   text NOT NULL,
    PRIMARY KEY (import_id, line)
);

-- Keys that a dry run has met in its file, where a real run would find the rows themselves.
CREATE TABLE import_keys (
    import_id uuid NOT NULL REFERENCES imports (id),
    digest    bytea NOT NULL,
    PRIMARY KEY (import_id, digest)
);
