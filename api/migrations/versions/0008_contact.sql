-- How a person wishes to be reached; without a row: by anything, e-mail first.
CREATE TABLE contact_preferences (
    person_id         uuid PRIMARY KEY REFERENCES people (id),
    preferred_channel text
        CHECK (preferred_channel IN ('email', 'sms', 'whatsapp', 'push', 'call')),
    opted_out         text[] NOT NULL DEFAULT '{}'
        CHECK (opted_out <@ ARRAY['email', 'sms', 'whatsapp', 'push', 'call']),
    updated_at        timestamptz NOT NULL
);

-- What a message rests on is proven again when it leaves: the row says what has to be proven.
ALTER TABLE outbound_messages
    ADD COLUMN purpose text CHECK (purpose IN ('marketing', 'service', 'analytics')),
    ADD CHECK (person_id IS NOT NULL OR status = 'failed');
CREATE INDEX outbound_messages_person ON outbound_messages (person_id, created_at)
    WHERE person_id IS NOT NULL;
CREATE INDEX people_guardian ON people (guardian_id) WHERE guardian_id IS NOT NULL;
CREATE INDEX people_merged ON people (merged_into) WHERE merged_into IS NOT NULL;

-- Who read whose record: one line a person that an audited read showed.
CREATE TABLE record_accesses (
    person_id  uuid NOT NULL,
    at         timestamptz NOT NULL,
    audit_id   uuid NOT NULL,
    actor_kind text NOT NULL,
    actor_role text,
    staff_id   uuid,
    agent      text,
    action     text NOT NULL,
    PRIMARY KEY (person_id, at, audit_id)
);

-- Two spellings of one mailbox: tags do not count, nor do Gmail's dots.
CREATE FUNCTION mailbox_key(email text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    AS $$
        SELECT CASE
            WHEN split_part(email, '@', 2) IN ('gmail.com', 'googlemail.com')
                THEN replace(split_part(split_part(email, '@', 1), '+', 1), '.', '') || '@gmail.com'
            ELSE split_part(split_part(email, '@', 1), '+', 1) || '@' || split_part(email, '@', 2)
        END
    $$;
CREATE INDEX people_mailbox ON people (mailbox_key(email))
    WHERE email IS NOT NULL AND status = 'active';
-- One number with and without its country code.
CREATE INDEX people_phone_tail ON people (right(phone, 8))
    WHERE phone IS NOT NULL AND status = 'active';
CREATE INDEX people_birth_date ON people (birth_date)
    WHERE birth_date IS NOT NULL AND status = 'active';

-- Whoever has been written down or changed is compared with the others, some time later.
CREATE TABLE duplicate_queue (
    person_id uuid PRIMARY KEY REFERENCES people (id),
    queued_at timestamptz NOT NULL
);
CREATE INDEX duplicate_queue_age ON duplicate_queue (queued_at, person_id);

CREATE FUNCTION queue_added_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO duplicate_queue (person_id, queued_at)
    SELECT id, updated_at FROM added WHERE status = 'active' ON CONFLICT (person_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER people_added AFTER INSERT ON people REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION queue_added_people();

CREATE FUNCTION queue_changed_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO duplicate_queue (person_id, queued_at) VALUES (NEW.id, NEW.updated_at)
    ON CONFLICT (person_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER people_changed AFTER UPDATE OF full_name, email, phone, birth_date ON people
    FOR EACH ROW WHEN (NEW.status = 'active') EXECUTE FUNCTION queue_changed_person();

CREATE TABLE duplicate_suggestions (
    id         uuid PRIMARY KEY,
    first_id   uuid NOT NULL REFERENCES people (id),
    second_id  uuid NOT NULL REFERENCES people (id),
    score      smallint NOT NULL CHECK (score BETWEEN 0 AND 100),
    reasons    text[] NOT NULL,
    status     text NOT NULL CHECK (status IN ('open', 'dismissed', 'merged')),
    found_at   timestamptz NOT NULL,
    decided_at timestamptz,
    staff_id   uuid REFERENCES staff (id),
    CHECK (first_id < second_id),
    UNIQUE (first_id, second_id)
);
CREATE INDEX duplicate_suggestions_open ON duplicate_suggestions (score DESC, id DESC)
    WHERE status = 'open';
CREATE INDEX duplicate_suggestions_second ON duplicate_suggestions (second_id);

CREATE TABLE person_merges (
    id          uuid PRIMARY KEY,
    survivor_id uuid NOT NULL REFERENCES people (id),
    merged_id   uuid NOT NULL REFERENCES people (id),
    staff_id    uuid REFERENCES staff (id),
    merged_at   timestamptz NOT NULL,
    undone_at   timestamptz,
    filled      text[] NOT NULL,     -- fields that the survivor took over, by name
    preferences jsonb,               -- the survivor's, before
    consents    uuid[] NOT NULL      -- that the merge appended
);
CREATE UNIQUE INDEX person_merges_one ON person_merges (merged_id) WHERE undone_at IS NULL;
CREATE INDEX person_merges_survivor ON person_merges (survivor_id, merged_at DESC, id DESC);

-- Which rows a merge moved, so that undoing it moves these back and no others.
CREATE TABLE person_merge_moves (
    merge_id    uuid NOT NULL REFERENCES person_merges (id),
    table_name  text NOT NULL,
    column_name text NOT NULL,
    keys        text[] NOT NULL,
    PRIMARY KEY (merge_id, table_name, column_name)
);
CREATE INDEX chat_sessions_person ON chat_sessions (person_id) WHERE person_id IS NOT NULL;

-- Who was erased, by ids only. It is kept beside the backups, too: after a restore it is replayed.
CREATE TABLE person_erasures (
    person_id uuid PRIMARY KEY,
    subjects  uuid[] NOT NULL,
    erased_at timestamptz NOT NULL,
    staff_id  uuid REFERENCES staff (id)
);
CREATE INDEX person_erasures_time ON person_erasures (erased_at, person_id);
CREATE INDEX mailbox_messages_recipient ON mailbox_messages (recipient);
