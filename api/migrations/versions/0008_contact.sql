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
