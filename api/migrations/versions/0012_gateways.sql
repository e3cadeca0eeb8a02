-- What the sandbox gateway knows. It stands for a separate company: no key ties it to our tables.
CREATE TABLE sandbox_checkouts (
    id           text PRIMARY KEY,
    payment_id   uuid NOT NULL UNIQUE,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency     text NOT NULL,
    description  text NOT NULL,
    locale       text NOT NULL CHECK (locale IN ('es', 'en')),
    return_url   text NOT NULL,
    status       text NOT NULL CHECK (status IN ('open', 'paid', 'declined', 'expired')),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    closed_at    timestamptz
);
CREATE INDEX sandbox_checkouts_open ON sandbox_checkouts (expires_at) WHERE status = 'open';

CREATE TABLE sandbox_refunds (
    refund_id    uuid PRIMARY KEY,
    checkout_id  text NOT NULL REFERENCES sandbox_checkouts (id),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    status       text NOT NULL CHECK (status IN ('pending', 'done', 'failed')),
    outcome      text NOT NULL CHECK (outcome IN ('done', 'failed')),
    settles_at   timestamptz NOT NULL
);
CREATE INDEX sandbox_refunds_checkout ON sandbox_refunds (checkout_id);
CREATE INDEX sandbox_refunds_pending ON sandbox_refunds (settles_at) WHERE status = 'pending';

CREATE TABLE sandbox_disputes (
    checkout_id  text PRIMARY KEY REFERENCES sandbox_checkouts (id),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    status       text NOT NULL CHECK (status IN ('open', 'won', 'lost'))
);

CREATE TABLE sandbox_events (
    event_id     text PRIMARY KEY,
    ordinal      bigint GENERATED ALWAYS AS IDENTITY,
    checkout_id  text NOT NULL REFERENCES sandbox_checkouts (id),
    kind         text NOT NULL,
    amount_minor bigint,
    refund_id    uuid,
    occurred_at  timestamptz NOT NULL
);
CREATE INDEX sandbox_events_checkout ON sandbox_events (checkout_id, ordinal);
CREATE INDEX sandbox_events_booked ON sandbox_events (occurred_at, ordinal)
    WHERE kind IN ('completed', 'refunded', 'disputed', 'dispute_won');

CREATE TABLE sandbox_deliveries (
    id         uuid PRIMARY KEY,
    event_id   text NOT NULL REFERENCES sandbox_events (event_id),
    status     text NOT NULL CHECK (status IN ('pending', 'delivered', 'dropped', 'dead')),
    rank       bigint NOT NULL,
    due_at     timestamptz NOT NULL,
    attempts   integer NOT NULL DEFAULT 0,
    answer     text
);
CREATE INDEX sandbox_deliveries_due ON sandbox_deliveries (rank, id) WHERE status = 'pending';
CREATE INDEX sandbox_deliveries_event ON sandbox_deliveries (event_id);

-- How it misbehaves, for all (`*`) or for one payment.
CREATE TABLE sandbox_behaviours (
    scope     text PRIMARY KEY,
    behaviour jsonb NOT NULL
);
CREATE TABLE sandbox_calls (
    call     text PRIMARY KEY,
    attempts integer NOT NULL
);

-- Webhooks that were a gateway's, but about nothing we know: kept for somebody to look at.
CREATE TABLE gateway_dead_notes (
    id         uuid PRIMARY KEY,
    gateway    text NOT NULL,
    event_id   text NOT NULL,
    code       text NOT NULL,
    noted_at   timestamptz NOT NULL,
    UNIQUE (gateway, event_id)
);
CREATE INDEX gateway_dead_notes_recent ON gateway_dead_notes (noted_at DESC, id DESC);

CREATE INDEX instalments_due ON instalments (due_on, invoice_id, number);

-- One reminder an instalment and step, whatever became of it.
CREATE TABLE dunning_reminders (
    invoice_id uuid NOT NULL,
    number     integer NOT NULL,
    step       integer NOT NULL,
    effect_key text NOT NULL UNIQUE,
    status     text NOT NULL CHECK (status IN ('queued', 'postponed', 'refused')),
    code       text,
    retry_at   timestamptz,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (invoice_id, number, step),
    FOREIGN KEY (invoice_id, number) REFERENCES instalments (invoice_id, number),
    CHECK ((status = 'postponed') = (retry_at IS NOT NULL))
);

-- Somebody promised to pay: nobody is reminded until then.
CREATE TABLE dunning_pauses (
    id         uuid PRIMARY KEY,
    invoice_id uuid NOT NULL REFERENCES invoices (id),
    until      date NOT NULL,
    reason     text NOT NULL,
    staff_id   uuid REFERENCES staff (id),
    created_at timestamptz NOT NULL,
    lifted_at  timestamptz
);
CREATE UNIQUE INDEX dunning_pauses_live ON dunning_pauses (invoice_id) WHERE lifted_at IS NULL;
CREATE INDEX dunning_pauses_invoice ON dunning_pauses (invoice_id, created_at);
