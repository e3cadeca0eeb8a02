-- Tables of weights: no row of it, and no number in it, belongs to a person; a level that few leads
-- have has no weight of its own. Every version stays: scores that it gave are explained by it.
CREATE TABLE score_models (
    version          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trained_at       timestamptz NOT NULL,
    features_version integer NOT NULL,
    leads            integer NOT NULL,
    won              boolean NOT NULL,
    measures         jsonb NOT NULL,
    model            jsonb NOT NULL
);
