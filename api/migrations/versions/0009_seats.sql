ALTER TABLE enrolments DROP CONSTRAINT enrolments_status_check;
ALTER TABLE enrolments ADD CONSTRAINT enrolments_status_check
    CHECK (status IN ('confirmed', 'completed', 'withdrawn', 'transferred'));

-- Whoever left may come back: only a seat that is kept is unique.
ALTER TABLE enrolments DROP CONSTRAINT enrolments_person_id_cohort_id_key;
CREATE UNIQUE INDEX enrolments_kept ON enrolments (person_id, cohort_id)
    WHERE status IN ('confirmed', 'completed');

DROP INDEX enrolments_cohort;
CREATE INDEX enrolments_taken ON enrolments (cohort_id) WHERE status IN ('confirmed', 'completed');
CREATE INDEX enrolments_newest ON enrolments (confirmed_at DESC, id DESC);
CREATE INDEX enrolments_status ON enrolments (status, confirmed_at DESC, id DESC);
CREATE INDEX enrolments_cohort ON enrolments (cohort_id, confirmed_at DESC, id DESC);
CREATE INDEX enrolments_person ON enrolments (person_id, confirmed_at DESC, id DESC);

CREATE TABLE waitlist_entries (
    id        uuid PRIMARY KEY,
    cohort_id uuid NOT NULL REFERENCES cohorts (id),
    person_id uuid NOT NULL REFERENCES people (id),
    priority  integer NOT NULL DEFAULT 0,
    waived    boolean NOT NULL DEFAULT false,
    status    text NOT NULL
        CHECK (status IN ('waiting', 'offered', 'enrolled', 'declined', 'expired', 'left')),
    joined_at timestamptz NOT NULL,
    ended_at  timestamptz,
    CHECK ((ended_at IS NULL) = (status IN ('waiting', 'offered')))
);
CREATE UNIQUE INDEX waitlist_entries_once ON waitlist_entries (cohort_id, person_id)
    WHERE status IN ('waiting', 'offered');
CREATE INDEX waitlist_entries_order ON waitlist_entries (cohort_id, priority DESC, joined_at, id)
    WHERE status IN ('waiting', 'offered');
CREATE INDEX waitlist_entries_person ON waitlist_entries (person_id, joined_at DESC);

-- A hold without an effect key is for the taking by the person's next hold of that cohort.
CREATE TABLE seat_holds (
    id         uuid PRIMARY KEY,
    cohort_id  uuid NOT NULL REFERENCES cohorts (id),
    person_id  uuid NOT NULL REFERENCES people (id),
    kind       text NOT NULL CHECK (kind IN ('student', 'offer')),
    status     text NOT NULL CHECK (status IN ('live', 'confirmed', 'released', 'expired')),
    waived     boolean NOT NULL DEFAULT false,
    effect_key text UNIQUE,
    entry_id   uuid REFERENCES waitlist_entries (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,
    CHECK ((kind = 'offer') = (entry_id IS NOT NULL)),
    CHECK ((ended_at IS NULL) = (status = 'live'))
);
CREATE UNIQUE INDEX seat_holds_once ON seat_holds (cohort_id, person_id) WHERE status = 'live';
CREATE UNIQUE INDEX seat_holds_entry ON seat_holds (entry_id) WHERE entry_id IS NOT NULL;
CREATE INDEX seat_holds_live ON seat_holds (cohort_id, expires_at) WHERE status = 'live';
CREATE INDEX seat_holds_due ON seat_holds (expires_at) WHERE status = 'live';
CREATE INDEX seat_holds_cohort ON seat_holds (cohort_id, created_at DESC, id DESC);
CREATE INDEX seat_holds_person ON seat_holds (person_id, created_at DESC, id DESC);

ALTER TABLE enrolments
    ADD COLUMN hold_id uuid UNIQUE REFERENCES seat_holds (id),
    ADD COLUMN transferred_from uuid UNIQUE REFERENCES enrolments (id);
