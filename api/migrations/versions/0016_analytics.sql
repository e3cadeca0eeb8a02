-- What a lead was scored, by which version; the latest line counts.
CREATE TABLE lead_scores (
    id        uuid PRIMARY KEY,
    lead_id   uuid NOT NULL REFERENCES leads (id),
    score     integer NOT NULL CHECK (score BETWEEN 0 AND 100),
    model     text NOT NULL,
    scored_at timestamptz NOT NULL
);
CREATE INDEX lead_scores_latest ON lead_scores (lead_id, scored_at DESC, id DESC);
CREATE TRIGGER lead_scores_append_only BEFORE UPDATE ON lead_scores
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Which part of which read model has to be computed anew.
CREATE TABLE analytics_stale (
    model text NOT NULL,
    key   text NOT NULL,
    PRIMARY KEY (model, key)
);
CREATE TABLE analytics_refreshes (
    model        text PRIMARY KEY,
    refreshed_at timestamptz NOT NULL
);

CREATE TABLE analytics_funnel (
    source         text NOT NULL,
    programme_code text NOT NULL,
    term           text NOT NULL,
    stage          text NOT NULL,
    reached        bigint NOT NULL,
    standing       bigint NOT NULL,
    PRIMARY KEY (source, programme_code, term, stage)
);

CREATE TABLE analytics_responses (
    day      date NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('agent', 'handoff', 'lead')),
    answered bigint NOT NULL,
    late     bigint NOT NULL,
    median_s bigint NOT NULL,
    p90_s    bigint NOT NULL,
    PRIMARY KEY (day, kind)
);
CREATE INDEX handoffs_taken ON handoffs (taken_at) WHERE taken_at IS NOT NULL;
CREATE INDEX runs_finished ON runs (finished_at) WHERE status = 'completed';
CREATE INDEX sla_clocks_stopped ON sla_clocks (stopped_at)
    WHERE target = 'first_response' AND stopped_at IS NOT NULL;

CREATE TABLE analytics_revenue (
    month          date NOT NULL,
    currency       text NOT NULL,
    invoiced_minor bigint NOT NULL,
    taken_minor    bigint NOT NULL,
    returned_minor bigint NOT NULL,
    PRIMARY KEY (month, currency)
);
CREATE INDEX ledger_transactions_recorded ON ledger_transactions (recorded_at, id);

CREATE TABLE analytics_receivables (
    currency     text NOT NULL,
    age          text NOT NULL
        CHECK (age IN ('not_due', 'to_30', 'to_60', 'to_90', 'older')),
    invoices     bigint NOT NULL,
    amount_minor bigint NOT NULL,
    PRIMARY KEY (currency, age)
);

CREATE TABLE analytics_cohorts (
    cohort_id   uuid PRIMARY KEY REFERENCES cohorts (id),
    cohort_code text NOT NULL,
    course_code text NOT NULL,
    starts_on   date NOT NULL,
    seats       integer NOT NULL,
    enrolled    integer NOT NULL,
    held        integer NOT NULL,
    waiting     integer NOT NULL
);
CREATE INDEX analytics_cohorts_start ON analytics_cohorts (starts_on DESC, cohort_id DESC);

CREATE TABLE analytics_scores (
    band     text PRIMARY KEY CHECK (band IN ('low', 'medium', 'high', 'unscored')),
    leads    bigint NOT NULL,
    enrolled bigint NOT NULL,
    lost     bigint NOT NULL
);
