CREATE SEQUENCE invoice_numbers;

-- debtor_id names the person in the ledger and stays when people are merged; person_id moves.
-- next_due_on is derived: the first instalment that is not covered, none when nothing is owed.
CREATE TABLE invoices (
    id            uuid PRIMARY KEY,
    number        bigint NOT NULL UNIQUE DEFAULT nextval('invoice_numbers'),
    reference     text NOT NULL UNIQUE,
    person_id     uuid NOT NULL REFERENCES people (id),
    debtor_id     uuid NOT NULL,
    net_minor     bigint NOT NULL CHECK (net_minor >= 0),
    currency      text NOT NULL CHECK (length(currency) = 3),
    next_due_on   date,
    cancelled_at  timestamptz,
    cancel_reason text,
    created_at    timestamptz NOT NULL,
    CHECK ((cancelled_at IS NULL) = (cancel_reason IS NULL))
);
CREATE INDEX invoices_recent ON invoices (created_at DESC, id DESC);
CREATE INDEX invoices_person ON invoices (person_id, created_at DESC, id DESC);
CREATE INDEX invoices_owed ON invoices (created_at DESC, id DESC) WHERE next_due_on IS NOT NULL;
CREATE INDEX invoices_due ON invoices (next_due_on, id) WHERE next_due_on IS NOT NULL;
CREATE INDEX invoices_cancelled ON invoices (created_at DESC, id DESC)
    WHERE cancelled_at IS NOT NULL;

CREATE TABLE instalments (
    invoice_id   uuid NOT NULL REFERENCES invoices (id),
    number       integer NOT NULL CHECK (number > 0),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    due_on       date NOT NULL,
    PRIMARY KEY (invoice_id, number)
);
CREATE TRIGGER instalments_append_only BEFORE UPDATE OR DELETE ON instalments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE credit_notes (
    id           uuid PRIMARY KEY,
    invoice_id   uuid NOT NULL REFERENCES invoices (id),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reason       text NOT NULL,
    effect_key   text NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL
);
CREATE INDEX credit_notes_invoice ON credit_notes (invoice_id, created_at, id);
CREATE TRIGGER credit_notes_append_only BEFORE UPDATE OR DELETE ON credit_notes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What lists show of a payment; the truth is payment_events, from which it can be made again.
CREATE TABLE payments (
    id                   uuid PRIMARY KEY,
    invoice_id           uuid NOT NULL REFERENCES invoices (id),
    person_id            uuid NOT NULL REFERENCES people (id),
    gateway              text NOT NULL,
    amount_minor         bigint NOT NULL CHECK (amount_minor > 0),
    currency             text NOT NULL CHECK (length(currency) = 3),
    effect_key           text NOT NULL UNIQUE,
    status               text NOT NULL CHECK (status IN ('initiated', 'pending', 'authorized',
        'completed', 'failed', 'expired', 'voided', 'disputed', 'partly_refunded', 'refunded',
        'charged_back')),
    captured_minor       bigint NOT NULL DEFAULT 0 CHECK (captured_minor >= 0),
    refunded_minor       bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0),
    refund_pending_minor bigint NOT NULL DEFAULT 0 CHECK (refund_pending_minor >= 0),
    disputed_minor       bigint NOT NULL DEFAULT 0 CHECK (disputed_minor >= 0),
    lost_minor           bigint NOT NULL DEFAULT 0 CHECK (lost_minor >= 0),
    gateway_ref          text,
    checkout_url         text,
    checkout_expires_at  timestamptz,
    version              integer NOT NULL,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    CHECK (refunded_minor + refund_pending_minor + lost_minor <= captured_minor)
);
CREATE INDEX payments_recent ON payments (created_at DESC, id DESC);
CREATE INDEX payments_status ON payments (status, created_at DESC, id DESC);
CREATE INDEX payments_person ON payments (person_id, created_at DESC, id DESC);
CREATE INDEX payments_invoice ON payments (invoice_id, created_at, id);
CREATE INDEX payments_gateway ON payments (gateway, created_at DESC, id DESC);

-- source_key is the inbox: what happened at a gateway is entered once, however often it is told.
CREATE TABLE payment_events (
    payment_id   uuid NOT NULL,
    seq          integer NOT NULL CHECK (seq > 0),
    kind         text NOT NULL CHECK (kind IN ('initiated', 'checkout_opened', 'authorized',
        'completed', 'failed', 'expired', 'voided', 'refund_requested', 'refund_noted',
        'refunded', 'refund_failed', 'refund_given_up', 'disputed', 'dispute_won',
        'dispute_lost')),
    source_key   text NOT NULL UNIQUE,
    amount_minor bigint CHECK (amount_minor >= 0),
    currency     text CHECK (length(currency) = 3),
    refund_id    uuid,
    data         jsonb NOT NULL DEFAULT '{}',
    occurred_at  timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL,
    PRIMARY KEY (payment_id, seq),
    CHECK ((amount_minor IS NULL) = (currency IS NULL))
);
CREATE INDEX payment_events_disputes ON payment_events (recorded_at DESC, source_key DESC)
    WHERE kind IN ('disputed', 'dispute_won', 'dispute_lost');
CREATE TRIGGER payment_events_append_only BEFORE UPDATE OR DELETE ON payment_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payment_events_no_truncate BEFORE TRUNCATE ON payment_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE refunds (
    id           uuid PRIMARY KEY,
    payment_id   uuid NOT NULL REFERENCES payments (id),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency     text NOT NULL CHECK (length(currency) = 3),
    reason       text NOT NULL,
    effect_key   text NOT NULL UNIQUE,
    status       text NOT NULL CHECK (status IN ('pending', 'done', 'failed')),
    gateway_ref  text,
    error        text,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX refunds_payment ON refunds (payment_id, created_at, id);

-- What shall be asked of a gateway, outside of any transaction.
CREATE TABLE payment_intents (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('open', 'cancel', 'refund')),
    payment_id   uuid NOT NULL REFERENCES payments (id),
    refund_id    uuid REFERENCES refunds (id),
    available_at timestamptz NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    closed_at    timestamptz,
    error        text,
    created_at   timestamptz NOT NULL,
    CHECK ((kind = 'refund') = (refund_id IS NOT NULL))
);
CREATE INDEX payment_intents_due ON payment_intents (available_at, id) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX payment_intents_once ON payment_intents (payment_id, kind)
    WHERE refund_id IS NULL;
CREATE UNIQUE INDEX payment_intents_refund ON payment_intents (refund_id)
    WHERE refund_id IS NOT NULL;

-- Which payments to ask the gateway about, because a webhook may be lost.
CREATE TABLE payment_polls (
    payment_id uuid PRIMARY KEY REFERENCES payments (id),
    due_at     timestamptz NOT NULL,
    polls      integer NOT NULL DEFAULT 0
);
CREATE INDEX payment_polls_due ON payment_polls (due_at, payment_id);

CREATE TABLE payment_links (
    token_hash bytea PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payments (id),
    created_at timestamptz NOT NULL
);
CREATE INDEX payment_links_payment ON payment_links (payment_id);

-- The books. Positive amounts are debits. Accounts hold ids only.
CREATE TABLE ledger_accounts (
    code     text PRIMARY KEY,
    kind     text NOT NULL CHECK (kind IN ('receivable', 'revenue', 'clearing', 'cash',
        'refunds_payable', 'disputes', 'bank_fees')),
    owner_id uuid,
    gateway  text,
    currency text NOT NULL CHECK (length(currency) = 3),
    UNIQUE (code, currency)
);
CREATE INDEX ledger_accounts_kind ON ledger_accounts (kind, gateway, currency);
CREATE INDEX ledger_accounts_owner ON ledger_accounts (owner_id) WHERE owner_id IS NOT NULL;

CREATE TABLE ledger_transactions (
    id          uuid PRIMARY KEY,
    source_key  text NOT NULL UNIQUE,
    kind        text NOT NULL,
    invoice_id  uuid,
    payment_id  uuid,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX ledger_transactions_payment ON ledger_transactions (payment_id, recorded_at)
    WHERE payment_id IS NOT NULL;
CREATE INDEX ledger_transactions_time ON ledger_transactions (occurred_at, id);

CREATE TABLE ledger_postings (
    transaction_id uuid NOT NULL REFERENCES ledger_transactions (id),
    account        text NOT NULL,
    currency       text NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (transaction_id, account),
    FOREIGN KEY (account, currency) REFERENCES ledger_accounts (code, currency)
);
CREATE INDEX ledger_postings_account ON ledger_postings (account) INCLUDE (amount_minor);

CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
BEGIN
    SELECT currency INTO wrong FROM ledger_postings WHERE transaction_id = NEW.transaction_id
        GROUP BY currency HAVING sum(amount_minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger transaction % does not balance in %', NEW.transaction_id, wrong
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_postings_balance AFTER INSERT ON ledger_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced();

CREATE FUNCTION refuse_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM ledger_postings WHERE transaction_id = NEW.id) THEN
        RAISE EXCEPTION 'ledger transaction % has no postings', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_transactions_posted AFTER INSERT ON ledger_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_empty();

CREATE TRIGGER ledger_accounts_append_only BEFORE UPDATE OR DELETE ON ledger_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE ON ledger_transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_postings_append_only BEFORE UPDATE OR DELETE ON ledger_postings
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_accounts_no_truncate BEFORE TRUNCATE ON ledger_accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_transactions_no_truncate BEFORE TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_postings_no_truncate BEFORE TRUNCATE ON ledger_postings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
