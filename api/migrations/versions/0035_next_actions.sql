-- What somebody might do next about a lead. Accepting makes exactly the call that is kept with its
-- hash. `withheld` are those of the tenth of people whom nobody nudges: what nudges are worth is
-- seen by what becomes of these.
CREATE TABLE next_actions (
    id             uuid PRIMARY KEY,
    effect_key     text NOT NULL UNIQUE,
    kind           text NOT NULL CHECK (kind IN ('call', 'reply', 'send_template', 'offer_cohort',
        'chase_document', 'approve', 'take_over')),
    person_id      uuid NOT NULL REFERENCES people (id),
    lead_id        uuid REFERENCES leads (id),
    staff_id       uuid REFERENCES staff (id),
    why            text NOT NULL,
    reasons        jsonb NOT NULL,
    language       text NOT NULL CHECK (language IN ('es', 'en')),
    draft          text NOT NULL,
    tool           text NOT NULL,
    arguments      jsonb NOT NULL,
    frozen_hash    bytea NOT NULL,
    priority       bigint NOT NULL,
    status         text NOT NULL
        CHECK (status IN ('open', 'accepted', 'dismissed', 'expired', 'withheld')),
    due_at         timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    snoozed_until  timestamptz,
    dismiss_reason text,
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL,
    decided_at     timestamptz,
    decided_by     uuid REFERENCES staff (id),
    CHECK ((status IN ('accepted', 'dismissed')) = (decided_by IS NOT NULL))
);
CREATE INDEX next_actions_queue ON next_actions (priority DESC, id DESC) WHERE status = 'open';
CREATE INDEX next_actions_person ON next_actions (person_id, created_at DESC);
CREATE INDEX next_actions_staff ON next_actions (staff_id) WHERE status = 'open';
CREATE INDEX next_actions_over ON next_actions (expires_at) WHERE status = 'open';
