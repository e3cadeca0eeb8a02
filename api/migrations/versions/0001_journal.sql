CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- unaccent() is only STABLE; a search column needs an IMMUTABLE wrapper that names its dictionary.
CREATE FUNCTION fold(text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, $1)) $$;

-- One key a subject (a visitor, a person, a member of staff). Destroying it is erasure.
CREATE TABLE subject_keys (
    subject_id   uuid PRIMARY KEY,
    person_id    uuid,
    wrapped_key  bytea,
    created_at   timestamptz NOT NULL,
    destroyed_at timestamptz,
    CHECK ((wrapped_key IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE INDEX subject_keys_person ON subject_keys (person_id) WHERE person_id IS NOT NULL;

CREATE TABLE audit_chains (
    chain_id   uuid PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('conversation', 'batch', 'shard')),
    head_seq   bigint NOT NULL,
    head_hash  bytea NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE audit_events (
    chain_id        uuid NOT NULL,
    seq             bigint NOT NULL,
    id              uuid NOT NULL,
    occurred_at     timestamptz NOT NULL,
    actor_kind      text NOT NULL CHECK (actor_kind IN ('student', 'staff', 'service')),
    actor_level     smallint NOT NULL,
    actor_role      text,
    staff_id        uuid,
    person_id       uuid,
    subject_id      uuid NOT NULL,
    agent           text,
    model           text,
    prompt_version  text,
    action          text NOT NULL,
    action_version  integer NOT NULL,
    effect          text NOT NULL CHECK (effect IN ('READ', 'WRITE', 'MONEY', 'OUTBOUND', 'NONE')),
    outcome         text NOT NULL
        CHECK (outcome IN ('ok', 'refused', 'failed', 'needs_confirmation', 'aborted')),
    decision        text NOT NULL,
    error_code      text,
    conversation_id uuid,
    run_id          uuid,
    step            integer,
    call_index      integer,
    approval_id     uuid,
    effect_key      text,
    arguments_digest bytea,
    tokens_in       integer NOT NULL,
    tokens_out      integer NOT NULL,
    cost_micros     bigint NOT NULL,
    latency_ms      integer NOT NULL,
    sealed          jsonb NOT NULL,
    prev_hash       bytea NOT NULL,
    hash            bytea NOT NULL,
    PRIMARY KEY (chain_id, seq)
);
CREATE UNIQUE INDEX audit_events_id ON audit_events (id);
CREATE INDEX audit_events_time ON audit_events (occurred_at DESC, id DESC);
CREATE INDEX audit_events_run ON audit_events (run_id, seq) WHERE run_id IS NOT NULL;
CREATE INDEX audit_events_conversation ON audit_events (conversation_id, seq)
    WHERE conversation_id IS NOT NULL;
CREATE INDEX audit_events_person ON audit_events (person_id, occurred_at DESC, id DESC)
    WHERE person_id IS NOT NULL;
CREATE INDEX audit_events_action ON audit_events (action, occurred_at DESC, id DESC);
CREATE INDEX audit_events_outcome ON audit_events (outcome, occurred_at DESC, id DESC);
CREATE UNIQUE INDEX audit_events_effect ON audit_events (effect_key)
    WHERE effect_key IS NOT NULL AND outcome = 'ok';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id      uuid NOT NULL UNIQUE,
    name          text NOT NULL,
    payload       jsonb NOT NULL,
    occurred_at   timestamptz NOT NULL,
    available_at  timestamptz NOT NULL,
    attempts      integer NOT NULL DEFAULT 0,
    delivered_at  timestamptz,
    dead_at       timestamptz,
    last_error    text
);
CREATE INDEX outbox_pending ON outbox (available_at, id) WHERE delivered_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_dead ON outbox (dead_at, id) WHERE dead_at IS NOT NULL;

CREATE TABLE idempotency_keys (
    scope       text NOT NULL,
    key         text NOT NULL,
    subject_id  uuid NOT NULL,
    digest      bytea NOT NULL,
    result      bytea,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_subject ON idempotency_keys (subject_id);
