CREATE TABLE areas (
    code    text PRIMARY KEY,
    name_es text NOT NULL,
    name_en text NOT NULL
);

CREATE TABLE courses (
    code           text PRIMARY KEY,
    area           text NOT NULL REFERENCES areas (code),
    level          text NOT NULL CHECK (level IN ('intro', 'intermediate', 'advanced')),
    language       text NOT NULL CHECK (language IN ('es', 'en')),
    title_es       text NOT NULL,
    title_en       text NOT NULL,
    summary_es     text NOT NULL,
    summary_en     text NOT NULL,
    outcomes_es    text[] NOT NULL,
    outcomes_en    text[] NOT NULL,
    keywords       text[] NOT NULL,
    hours          integer NOT NULL CHECK (hours > 0),
    weeks          integer NOT NULL CHECK (weeks > 0),
    hours_per_week integer NOT NULL CHECK (hours_per_week > 0),
    price_minor    bigint NOT NULL CHECK (price_minor >= 0),
    currency       text NOT NULL CHECK (length(currency) = 3),
    certificate    boolean NOT NULL,
    active         boolean NOT NULL DEFAULT true,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX courses_area ON courses (area, code);
CREATE INDEX courses_title ON courses USING gin ((fold(title_es || ' ' || title_en)) gin_trgm_ops);

CREATE TABLE course_prerequisites (
    course_code       text NOT NULL REFERENCES courses (code),
    prerequisite_code text NOT NULL REFERENCES courses (code),
    PRIMARY KEY (course_code, prerequisite_code),
    CHECK (course_code <> prerequisite_code)
);
CREATE INDEX course_prerequisites_reverse ON course_prerequisites (prerequisite_code);

CREATE TABLE programmes (
    code            text PRIMARY KEY,
    area            text NOT NULL REFERENCES areas (code),
    level           text NOT NULL CHECK (level IN ('certificate', 'diploma', 'bachelor', 'master')),
    title_es        text NOT NULL,
    title_en        text NOT NULL,
    summary_es      text NOT NULL,
    summary_en      text NOT NULL,
    admission_es    text NOT NULL,
    admission_en    text NOT NULL,
    duration_months integer NOT NULL CHECK (duration_months > 0),
    credits         integer NOT NULL CHECK (credits > 0),
    fee_minor       bigint NOT NULL CHECK (fee_minor >= 0),
    currency        text NOT NULL CHECK (length(currency) = 3),
    active          boolean NOT NULL DEFAULT true,
    updated_at      timestamptz NOT NULL
);

CREATE TABLE programme_courses (
    programme_code text NOT NULL REFERENCES programmes (code),
    course_code    text NOT NULL REFERENCES courses (code),
    position       integer NOT NULL,
    PRIMARY KEY (programme_code, course_code)
);
CREATE INDEX programme_courses_course ON programme_courses (course_code);

CREATE TABLE cohorts (
    id               uuid PRIMARY KEY,
    code             text NOT NULL UNIQUE,
    course_code      text NOT NULL REFERENCES courses (code),
    starts_on        date NOT NULL,
    ends_on          date NOT NULL CHECK (ends_on >= starts_on),
    enrolment_closes date NOT NULL CHECK (enrolment_closes <= starts_on),
    modality         text NOT NULL CHECK (modality IN ('online', 'onsite', 'hybrid')),
    campus           text,
    days             text[] NOT NULL,
    start_time       time NOT NULL,
    end_time         time NOT NULL CHECK (end_time > start_time),
    seats            integer NOT NULL CHECK (seats > 0),
    blocked_seats    integer NOT NULL DEFAULT 0 CHECK (blocked_seats BETWEEN 0 AND seats),
    price_minor      bigint NOT NULL CHECK (price_minor >= 0),
    currency         text NOT NULL CHECK (length(currency) = 3),
    status           text NOT NULL CHECK (status IN ('open', 'closed', 'cancelled')),
    updated_at       timestamptz NOT NULL
);
CREATE INDEX cohorts_course ON cohorts (course_code, starts_on);
CREATE INDEX cohorts_start ON cohorts (starts_on, id);

CREATE TABLE enrolments (
    id           uuid PRIMARY KEY,
    person_id    uuid NOT NULL REFERENCES people (id),
    cohort_id    uuid NOT NULL REFERENCES cohorts (id),
    status       text NOT NULL CHECK (status IN ('confirmed', 'completed', 'withdrawn')),
    confirmed_at timestamptz NOT NULL,
    ended_at     timestamptz,
    UNIQUE (person_id, cohort_id)
);
CREATE INDEX enrolments_cohort ON enrolments (cohort_id) WHERE status <> 'withdrawn';

CREATE TABLE scholarships (
    code           text PRIMARY KEY,
    name_es        text NOT NULL,
    name_en        text NOT NULL,
    description_es text NOT NULL,
    description_en text NOT NULL,
    eligibility_es text NOT NULL,
    eligibility_en text NOT NULL,
    deadline_es    text NOT NULL,
    deadline_en    text NOT NULL,
    percent        integer NOT NULL CHECK (percent BETWEEN 1 AND 100),
    cap_minor      bigint NOT NULL CHECK (cap_minor > 0),
    fund_minor     bigint NOT NULL CHECK (fund_minor >= 0),
    currency       text NOT NULL CHECK (length(currency) = 3)
);

CREATE TABLE discounts (
    code           text PRIMARY KEY,
    name_es        text NOT NULL,
    name_en        text NOT NULL,
    description_es text NOT NULL,
    description_en text NOT NULL,
    percent        integer NOT NULL CHECK (percent BETWEEN 1 AND 100),
    cap_minor      bigint NOT NULL CHECK (cap_minor > 0),
    currency       text NOT NULL CHECK (length(currency) = 3)
);
