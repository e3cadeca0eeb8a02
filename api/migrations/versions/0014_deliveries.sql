-- One row for each consumer of an event: what it has had, and what it could not take.
CREATE TABLE deliveries (
    event_id      uuid NOT NULL REFERENCES outbox (event_id),
    handler       text NOT NULL,
    available_at  timestamptz NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    claimed_until timestamptz,
    done_at       timestamptz,
    dead_at       timestamptz,
    last_error    text,
    PRIMARY KEY (event_id, handler)
);
CREATE INDEX deliveries_due ON deliveries (available_at, event_id)
    WHERE done_at IS NULL AND dead_at IS NULL;
CREATE INDEX deliveries_dead ON deliveries (dead_at DESC, event_id DESC, handler)
    WHERE dead_at IS NOT NULL;
CREATE INDEX outbox_delivered ON outbox (delivered_at) WHERE delivered_at IS NOT NULL;
