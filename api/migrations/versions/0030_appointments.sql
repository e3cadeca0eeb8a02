CREATE EXTENSION IF NOT EXISTS btree_gist;

-- When advisors can be booked; `week` is text such as 'mon-fri 09:00-13:00', in the zone of the
-- institution's calendar.
CREATE TABLE advisor_hours (
    staff_id     uuid PRIMARY KEY REFERENCES staff (id),
    week         text NOT NULL,
    slot_minutes integer NOT NULL CHECK (slot_minutes BETWEEN 10 AND 240),
    modes        text[] NOT NULL
        CHECK (cardinality(modes) > 0 AND modes <@ ARRAY['call', 'video', 'in_person']),
    updated_at   timestamptz NOT NULL
);

CREATE TABLE appointments (
    id            uuid PRIMARY KEY,
    effect_key    text UNIQUE,
    person_id     uuid NOT NULL REFERENCES people (id),
    staff_id      uuid NOT NULL REFERENCES staff (id),
    topic         text NOT NULL,
    mode          text NOT NULL CHECK (mode IN ('call', 'video', 'in_person')),
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL CHECK (ends_at > starts_at),
    status        text NOT NULL CHECK (status IN ('booked', 'cancelled', 'held', 'missed')),
    cancel_reason text,
    version       integer NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    closed_at     timestamptz,
    CHECK ((status = 'booked') = (closed_at IS NULL)),
    -- Whatever the processes do, nobody is booked twice at once.
    EXCLUDE USING gist (staff_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (status = 'booked'),
    EXCLUDE USING gist (person_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (status = 'booked')
);
CREATE INDEX appointments_start ON appointments (starts_at, id);
CREATE INDEX appointments_status ON appointments (status, starts_at, id);
CREATE INDEX appointments_staff ON appointments (staff_id, starts_at, id);
CREATE INDEX appointments_person ON appointments (person_id, starts_at, id);
