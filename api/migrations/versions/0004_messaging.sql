-- Messages and runs share one ordinal, so that a run's stream ids follow those of what it answers.
CREATE SEQUENCE message_ordinals;

CREATE TABLE conversations (
    id              uuid PRIMARY KEY,
    channel         text NOT NULL CHECK (channel IN ('widget', 'whatsapp')),
    subject_id      uuid NOT NULL,
    person_id       uuid REFERENCES people (id),
    locale          text NOT NULL CHECK (locale IN ('es', 'en')),
    level           smallint NOT NULL DEFAULT 0 CHECK (level BETWEEN 0 AND 2),
    status          text NOT NULL CHECK (status IN ('agent', 'waiting', 'advisor', 'closed')),
    staff_id        uuid REFERENCES staff (id),
    handoff_reason  text,
    summary         text NOT NULL DEFAULT '',
    memory          jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL,
    last_message_at timestamptz NOT NULL
);
CREATE INDEX conversations_recent ON conversations (last_message_at DESC, id DESC);
CREATE INDEX conversations_status ON conversations (status, last_message_at DESC, id DESC);
CREATE INDEX conversations_person ON conversations (person_id, last_message_at DESC)
    WHERE person_id IS NOT NULL;
CREATE INDEX conversations_subject ON conversations (subject_id);

CREATE TABLE chat_sessions (
    token_hash      bytea PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    subject_id      uuid NOT NULL,
    person_id       uuid REFERENCES people (id),
    level           smallint NOT NULL CHECK (level BETWEEN 0 AND 2),
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz
);
CREATE INDEX chat_sessions_conversation ON chat_sessions (conversation_id);

CREATE TABLE verification_codes (
    id              uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    person_id       uuid REFERENCES people (id),
    channel         text NOT NULL CHECK (channel IN ('email', 'sms')),
    code_hash       bytea NOT NULL,
    tries           integer NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    closed_at       timestamptz
);
CREATE INDEX verification_codes_conversation ON verification_codes (conversation_id, created_at DESC);
CREATE INDEX verification_codes_person ON verification_codes (person_id, created_at DESC)
    WHERE person_id IS NOT NULL;

CREATE TABLE messages (
    id              uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    ordinal         bigint NOT NULL DEFAULT nextval('message_ordinals'),
    role            text NOT NULL CHECK (role IN ('student', 'agent', 'advisor', 'system')),
    source          text NOT NULL,
    external_id     text NOT NULL,
    body            text NOT NULL,
    citations       jsonb NOT NULL DEFAULT '[]',
    actions         jsonb NOT NULL DEFAULT '[]',
    run_id          uuid,
    staff_id        uuid REFERENCES staff (id),
    answered_by     uuid,
    created_at      timestamptz NOT NULL,
    redacted_at     timestamptz,
    UNIQUE (source, external_id)
);
CREATE UNIQUE INDEX messages_log ON messages (conversation_id, ordinal);
CREATE INDEX messages_unanswered ON messages (conversation_id, ordinal)
    WHERE role = 'student' AND answered_by IS NULL;

-- Work to do: a conversation with unanswered messages or a decision to carry out.
CREATE TABLE turn_requests (
    conversation_id uuid PRIMARY KEY REFERENCES conversations (id),
    requested_at    timestamptz NOT NULL,
    not_before      timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0
);
CREATE INDEX turn_requests_due ON turn_requests (not_before);

-- One writer a conversation. The row is written without waiting for the disk; a lost lease is a lost
-- claim, never lost data, because effects and commits check the epoch in their own transaction.
CREATE TABLE conversation_leases (
    conversation_id uuid PRIMARY KEY,
    epoch           bigint NOT NULL,
    owner           text,
    expires_at      timestamptz NOT NULL
);

CREATE TABLE runs (
    id              uuid PRIMARY KEY,
    ordinal         bigint NOT NULL DEFAULT nextval('message_ordinals'),
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    epoch           bigint NOT NULL,
    status          text NOT NULL
        CHECK (status IN ('running', 'waiting', 'completed', 'failed', 'aborted')),
    agent           text NOT NULL DEFAULT '',
    provider        text NOT NULL DEFAULT '',
    model           text NOT NULL DEFAULT '',
    prompt_version  text NOT NULL DEFAULT '',
    attempts        integer NOT NULL DEFAULT 1,
    steps           integer NOT NULL DEFAULT 0,
    tool_calls      integer NOT NULL DEFAULT 0,
    tokens_in       integer NOT NULL DEFAULT 0,
    tokens_out      integer NOT NULL DEFAULT 0,
    cost_micros     bigint NOT NULL DEFAULT 0,
    latency_ms      integer,
    error_code      text,
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz
);
CREATE INDEX runs_recent ON runs (started_at DESC, id DESC);
CREATE INDEX runs_conversation ON runs (conversation_id, ordinal DESC);
CREATE INDEX runs_status ON runs (status, started_at DESC, id DESC);
CREATE INDEX runs_running ON runs (conversation_id) WHERE status = 'running';

CREATE TABLE run_messages (
    run_id     uuid NOT NULL REFERENCES runs (id),
    message_id uuid NOT NULL REFERENCES messages (id),
    PRIMARY KEY (run_id, message_id)
);

CREATE TABLE run_steps (
    run_id     uuid NOT NULL REFERENCES runs (id),
    step       integer NOT NULL,
    output     jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, step)
);

CREATE TABLE confirmations (
    id              uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations (id),
    run_id          uuid NOT NULL REFERENCES runs (id),
    call_key        text NOT NULL UNIQUE,
    tool            text NOT NULL,
    tool_version    integer NOT NULL,
    tool_call_id    text NOT NULL,
    effect          text NOT NULL,
    arguments       jsonb NOT NULL,
    frozen_hash     bytea NOT NULL,
    quote_id        text,
    hold_id         text,
    summary         text NOT NULL,
    price_minor     bigint,
    currency        text,
    status          text NOT NULL
        CHECK (status IN ('pending', 'accepted', 'rejected', 'expired', 'executed', 'failed')),
    decided_by      text,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    decided_at      timestamptz,
    closed_at       timestamptz
);
CREATE INDEX confirmations_open ON confirmations (conversation_id, created_at DESC)
    WHERE closed_at IS NULL;
CREATE INDEX confirmations_expiry ON confirmations (expires_at) WHERE status = 'pending';

CREATE TABLE outbound_messages (
    id           uuid PRIMARY KEY,
    effect_key   text NOT NULL UNIQUE,
    channel      text NOT NULL CHECK (channel IN ('email', 'sms')),
    basis        text NOT NULL
        CHECK (basis IN ('reply', 'security_code', 'contract_notice', 'consent')),
    person_id    uuid REFERENCES people (id),
    template     text NOT NULL,
    locale       text NOT NULL CHECK (locale IN ('es', 'en')),
    sealed       jsonb NOT NULL,
    status       text NOT NULL CHECK (status IN ('intent', 'sent', 'failed')),
    attempts     integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL,
    sent_at      timestamptz,
    error_code   text
);
CREATE INDEX outbound_messages_due ON outbound_messages (created_at, id) WHERE status = 'intent';

-- The demo's mailbox: what an e-mail server would have delivered.
CREATE TABLE mailbox_messages (
    id         uuid PRIMARY KEY,
    effect_key text NOT NULL UNIQUE,
    channel    text NOT NULL,
    recipient  text NOT NULL,
    subject    text NOT NULL,
    body       text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX mailbox_messages_recent ON mailbox_messages (created_at DESC, id DESC);
