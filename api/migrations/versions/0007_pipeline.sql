CREATE TABLE leads (
    id               uuid PRIMARY KEY,
    person_id        uuid NOT NULL REFERENCES people (id),
    source           text NOT NULL CHECK (source IN ('widget', 'whatsapp', 'web_form', 'referral',
        'event', 'import', 'staff', 'enrolment')),
    programme_code   text REFERENCES programmes (code),
    course_code      text REFERENCES courses (code),
    term             text NOT NULL DEFAULT '',
    language         text NOT NULL CHECK (language IN ('es', 'en')),
    stage            text NOT NULL
        CHECK (stage IN ('inquiry', 'lead', 'applicant', 'admitted', 'enrolled', 'lost')),
    lost_reason      text,
    staff_id         uuid REFERENCES staff (id),
    version          integer NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    stage_since      timestamptz NOT NULL,
    last_activity_at timestamptz NOT NULL,
    CHECK ((stage = 'lost') = (lost_reason IS NOT NULL)),
    CHECK (programme_code IS NULL OR course_code IS NULL)
);
-- One application at a time for each thing a person may apply for.
CREATE UNIQUE INDEX leads_open ON leads
    (person_id, coalesce(programme_code, ''), coalesce(course_code, ''), term)
    WHERE stage NOT IN ('enrolled', 'lost');
CREATE INDEX leads_person ON leads (person_id, created_at DESC, id DESC);
CREATE INDEX leads_recent ON leads (created_at DESC, id DESC);
CREATE INDEX leads_active ON leads (last_activity_at DESC, id DESC);
CREATE INDEX leads_stage ON leads (stage, created_at DESC, id DESC);
CREATE INDEX leads_stage_active ON leads (stage, last_activity_at DESC, id DESC);
CREATE INDEX leads_staff ON leads (staff_id, created_at DESC, id DESC);
CREATE INDEX leads_staff_active ON leads (staff_id, last_activity_at DESC, id DESC);
CREATE INDEX leads_source ON leads (source, created_at DESC, id DESC);
CREATE INDEX leads_programme ON leads (programme_code, created_at DESC, id DESC)
    WHERE programme_code IS NOT NULL;
CREATE INDEX leads_course ON leads (course_code, created_at DESC, id DESC)
    WHERE course_code IS NOT NULL;
CREATE INDEX leads_term ON leads (term, created_at DESC, id DESC);

CREATE TABLE lead_stages (
    id          uuid PRIMARY KEY,
    lead_id     uuid NOT NULL REFERENCES leads (id),
    from_stage  text,
    to_stage    text NOT NULL,
    reason      text,
    staff_id    uuid REFERENCES staff (id),
    occurred_at timestamptz NOT NULL
);
CREATE INDEX lead_stages_lead ON lead_stages (lead_id, occurred_at, id);
CREATE INDEX lead_stages_time ON lead_stages (occurred_at, to_stage);
CREATE TRIGGER lead_stages_append_only BEFORE UPDATE ON lead_stages
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What happened with a person; `about` holds ids and short facts, never a message's text.
CREATE TABLE activities (
    id          uuid PRIMARY KEY,
    person_id   uuid NOT NULL REFERENCES people (id),
    lead_id     uuid REFERENCES leads (id),
    kind        text NOT NULL CHECK (kind IN ('page_visit', 'message', 'call', 'email', 'form',
        'meeting', 'note', 'stage', 'task', 'enrolment', 'withdrawal', 'payment')),
    direction   text CHECK (direction IN ('in', 'out')),
    about       jsonb NOT NULL DEFAULT '{}',
    source_key  text,
    staff_id    uuid REFERENCES staff (id),
    occurred_at timestamptz NOT NULL
);
CREATE INDEX activities_lead ON activities (lead_id, occurred_at DESC, id DESC)
    WHERE lead_id IS NOT NULL;
CREATE INDEX activities_person ON activities (person_id, occurred_at DESC, id DESC);
CREATE UNIQUE INDEX activities_source ON activities (source_key) WHERE source_key IS NOT NULL;
CREATE TRIGGER activities_append_only BEFORE UPDATE OF kind, direction, source_key, occurred_at
    ON activities FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Who looks after how many open leads is counted at every assignment.
CREATE INDEX leads_load ON leads (staff_id) WHERE stage NOT IN ('enrolled', 'lost');

CREATE SEQUENCE assignment_turns;
-- The turn in which a member of staff was last given a lead by the rule.
CREATE TABLE staff_turns (
    staff_id uuid PRIMARY KEY REFERENCES staff (id),
    turn     bigint NOT NULL
);

CREATE TABLE tasks (
    id         uuid PRIMARY KEY,
    effect_key text UNIQUE,
    person_id  uuid NOT NULL REFERENCES people (id),
    lead_id    uuid REFERENCES leads (id),
    title      text NOT NULL,
    staff_id   uuid REFERENCES staff (id),
    due_at     timestamptz NOT NULL,
    status     text NOT NULL CHECK (status IN ('open', 'done', 'cancelled')),
    version    integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    closed_at  timestamptz,
    CHECK ((status = 'open') = (closed_at IS NULL))
);
CREATE INDEX tasks_due ON tasks (due_at, id);
CREATE INDEX tasks_status ON tasks (status, due_at, id);
CREATE INDEX tasks_staff ON tasks (staff_id, status, due_at, id);
CREATE INDEX tasks_staff_due ON tasks (staff_id, due_at, id);
CREATE INDEX tasks_lead ON tasks (lead_id, due_at, id) WHERE lead_id IS NOT NULL;
CREATE INDEX tasks_person ON tasks (person_id, due_at, id);

-- One calendar for the institution; `week` is text such as 'mon-fri 09:00-18:00, sat 09:00-13:00'.
CREATE TABLE business_calendar (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    time_zone text NOT NULL,
    week      text NOT NULL,
    holidays  date[] NOT NULL
);
INSERT INTO business_calendar (time_zone, week, holidays)
VALUES ('America/Lima', 'mon-fri 09:00-18:00, sat 09:00-13:00', '{}');

-- `spent` is the business time that had passed when the clock last began to run.
CREATE TABLE sla_clocks (
    id            uuid PRIMARY KEY,
    effect_key    text NOT NULL UNIQUE,
    subject_kind  text NOT NULL CHECK (subject_kind IN ('lead', 'ticket')),
    subject_id    uuid NOT NULL,
    target        text NOT NULL CHECK (target IN ('first_response', 'next_step', 'resolution')),
    allowance     interval NOT NULL,
    spent         interval NOT NULL,
    state         text NOT NULL CHECK (state IN ('running', 'paused', 'stopped')),
    running_since timestamptz,
    due_at        timestamptz,
    started_at    timestamptz NOT NULL,
    stopped_at    timestamptz,
    breached_at   timestamptz,
    CHECK ((state = 'running') = (running_since IS NOT NULL)),
    CHECK (state <> 'running' OR due_at IS NOT NULL),
    CHECK ((state = 'stopped') = (stopped_at IS NOT NULL))
);
CREATE UNIQUE INDEX sla_clocks_live ON sla_clocks (subject_kind, subject_id, target)
    WHERE state <> 'stopped';
CREATE INDEX sla_clocks_subject ON sla_clocks (subject_kind, subject_id, started_at);
CREATE INDEX sla_clocks_due ON sla_clocks (due_at, id)
    WHERE state = 'running' AND breached_at IS NULL;
