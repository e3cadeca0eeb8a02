CREATE SEQUENCE ticket_numbers START 1001;

CREATE TABLE tickets (
    id              uuid PRIMARY KEY,
    number          bigint NOT NULL UNIQUE DEFAULT nextval('ticket_numbers'),
    effect_key      text UNIQUE,
    subject_id      uuid NOT NULL,
    person_id       uuid REFERENCES people (id),
    conversation_id uuid REFERENCES conversations (id),
    category        text NOT NULL
        CHECK (category IN ('admission', 'payments', 'certificates', 'technical', 'academic', 'other')),
    title           text NOT NULL,
    description     text NOT NULL,
    priority        text NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
    status          text NOT NULL CHECK (status IN ('open', 'pending', 'resolved', 'closed')),
    staff_id        uuid REFERENCES staff (id),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX tickets_recent ON tickets (created_at DESC, id DESC);
CREATE INDEX tickets_status ON tickets (status, created_at DESC, id DESC);
CREATE INDEX tickets_person ON tickets (person_id, created_at DESC, id DESC)
    WHERE person_id IS NOT NULL;
CREATE INDEX tickets_subject ON tickets (subject_id, created_at DESC, id DESC);
CREATE INDEX tickets_staff ON tickets (staff_id, created_at DESC, id DESC);
CREATE INDEX tickets_conversation ON tickets (conversation_id) WHERE conversation_id IS NOT NULL;

CREATE TABLE ticket_events (
    id         uuid PRIMARY KEY,
    ticket_id  uuid NOT NULL REFERENCES tickets (id),
    kind       text NOT NULL CHECK (kind IN ('opened', 'status', 'assigned', 'note')),
    from_value text,
    to_value   text,
    staff_id   uuid REFERENCES staff (id),
    created_at timestamptz NOT NULL
);
CREATE INDEX ticket_events_ticket ON ticket_events (ticket_id, created_at, id);

CREATE TABLE handoffs (
    id              uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    effect_key      text UNIQUE,
    reason          text NOT NULL,
    requested_at    timestamptz NOT NULL,
    staff_id        uuid REFERENCES staff (id),
    taken_at        timestamptz,
    released_at     timestamptz
);
CREATE INDEX handoffs_conversation ON handoffs (conversation_id, requested_at DESC);
CREATE UNIQUE INDEX handoffs_open ON handoffs (conversation_id) WHERE released_at IS NULL;
