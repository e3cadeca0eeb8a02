CREATE TABLE staff (
    id              uuid PRIMARY KEY,
    email           text NOT NULL,
    name            text NOT NULL,
    role            text NOT NULL CHECK (role IN ('advisor', 'admin', 'service')),
    password_hash   text NOT NULL,
    languages       text[] NOT NULL DEFAULT '{}',
    areas           text[] NOT NULL DEFAULT '{}',
    totp_secret     text,
    failed_attempts integer NOT NULL DEFAULT 0,
    locked_until    timestamptz,
    active          boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX staff_email ON staff (lower(email));

CREATE TABLE staff_sessions (
    token_hash bytea PRIMARY KEY,
    staff_id   uuid NOT NULL REFERENCES staff (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX staff_sessions_staff ON staff_sessions (staff_id);

CREATE TABLE people (
    id          uuid PRIMARY KEY,
    full_name   text NOT NULL,
    email       text,
    phone       text,
    locale      text NOT NULL CHECK (locale IN ('es', 'en')),
    time_zone   text NOT NULL,
    birth_date  date,
    guardian_id uuid REFERENCES people (id),
    status      text NOT NULL CHECK (status IN ('active', 'merged', 'erased')),
    merged_into uuid REFERENCES people (id),
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    search      tsvector GENERATED ALWAYS AS (
        to_tsvector('simple', fold(full_name) || ' ' || coalesce(lower(email), '')
            || ' ' || coalesce(phone, ''))
    ) STORED,
    CHECK ((status = 'merged') = (merged_into IS NOT NULL)),
    CHECK (guardian_id <> id)
);
-- Addresses are stored normalised: lower-case e-mail, E.164 phone.
CREATE UNIQUE INDEX people_email ON people (email) WHERE email IS NOT NULL AND status = 'active';
CREATE UNIQUE INDEX people_phone ON people (phone) WHERE phone IS NOT NULL AND status = 'active';
CREATE INDEX people_search ON people USING gin (search);
CREATE INDEX people_name ON people USING gin (fold(full_name) gin_trgm_ops);
CREATE INDEX people_time ON people (created_at DESC, id DESC);

CREATE TABLE consents (
    id           uuid PRIMARY KEY,
    person_id    uuid NOT NULL REFERENCES people (id),
    channel      text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp', 'push', 'call')),
    purpose      text NOT NULL CHECK (purpose IN ('marketing', 'service', 'analytics')),
    granted      boolean NOT NULL,
    source       text NOT NULL,
    text_version text NOT NULL,
    guardian_id  uuid REFERENCES people (id),
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX consents_latest ON consents (person_id, channel, purpose, recorded_at DESC, id DESC);
CREATE TRIGGER consents_append_only BEFORE UPDATE ON consents
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
