-- A saga: a chain of acts over several transactions, each done or undone once.
-- next_run_at is empty while nothing is to be done before somebody wakes it.
CREATE TABLE sagas (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('enrolment', 'withdrawal')),
    status       text NOT NULL
        CHECK (status IN ('running', 'compensating', 'completed', 'compensated')),
    step         text NOT NULL,
    person_id    uuid NOT NULL REFERENCES people (id),
    cohort_id    uuid NOT NULL REFERENCES cohorts (id),
    hold_id      uuid REFERENCES seat_holds (id),
    invoice_id   uuid REFERENCES invoices (id),
    enrolment_id uuid REFERENCES enrolments (id),
    context      jsonb NOT NULL DEFAULT '{}',
    failure      text,
    deadline     timestamptz NOT NULL,
    effect_key   text NOT NULL UNIQUE,
    version      integer NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    next_run_at  timestamptz,
    last_error   text,
    parked_at    timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    CHECK ((failure IS NULL) = (status IN ('running', 'completed')))
);
CREATE INDEX sagas_due ON sagas (next_run_at, id)
    WHERE next_run_at IS NOT NULL AND parked_at IS NULL;
CREATE INDEX sagas_recent ON sagas (created_at DESC, id DESC);
CREATE INDEX sagas_status ON sagas (status, created_at DESC, id DESC);
CREATE INDEX sagas_person ON sagas (person_id, created_at DESC, id DESC);
CREATE INDEX sagas_parked ON sagas (created_at DESC, id DESC) WHERE parked_at IS NOT NULL;
CREATE INDEX sagas_invoice ON sagas (invoice_id) WHERE invoice_id IS NOT NULL;
CREATE INDEX sagas_hold ON sagas (hold_id) WHERE hold_id IS NOT NULL;
CREATE INDEX sagas_enrolment ON sagas (enrolment_id) WHERE enrolment_id IS NOT NULL;

-- What was done, written in the transaction that did it.
CREATE TABLE saga_steps (
    saga_id     uuid NOT NULL REFERENCES sagas (id),
    seq         integer NOT NULL CHECK (seq > 0),
    step        text NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('done', 'failed', 'turned', 'parked', 'resumed')),
    code        text,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (saga_id, seq)
);
CREATE TRIGGER saga_steps_append_only BEFORE UPDATE OR DELETE ON saga_steps
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
