-- The cell of each of the model's scales that the lead fell into: what explains the score.
ALTER TABLE lead_scores ADD COLUMN cells bytea NOT NULL DEFAULT '';

CREATE TABLE lead_scores_due (
    lead_id uuid PRIMARY KEY REFERENCES leads (id)
);

-- Batches of scores; `digest` is of every lead's.
CREATE TABLE scorings (
    id        uuid PRIMARY KEY,
    model     text NOT NULL,
    whole     boolean NOT NULL,
    leads     integer NOT NULL,
    changed   integer NOT NULL,
    digest    bytea NOT NULL,
    scored_at timestamptz NOT NULL
);
CREATE INDEX scorings_whole ON scorings (scored_at DESC) WHERE whole;
