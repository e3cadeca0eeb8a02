-- Who may use a discount: anybody, those who completed a course, those who enrol early enough, or
-- whoever a member of staff gives it to.
ALTER TABLE discounts
    ADD COLUMN active      boolean NOT NULL DEFAULT true,
    ADD COLUMN valid_from  date,
    ADD COLUMN valid_until date,
    ADD COLUMN usage_limit integer CHECK (usage_limit > 0),
    ADD COLUMN rule        text NOT NULL DEFAULT 'open'
        CHECK (rule IN ('open', 'alumni', 'early', 'staff')),
    ADD CONSTRAINT discounts_validity CHECK (valid_until >= valid_from);

-- `automatic`: everybody has it without an award. `combines`: a discount may come on top.
ALTER TABLE scholarships
    ADD COLUMN active    boolean NOT NULL DEFAULT true,
    ADD COLUMN automatic boolean NOT NULL DEFAULT false,
    ADD COLUMN combines  boolean NOT NULL DEFAULT true;

-- What a person wrote and what staff answered are sealed with the key of `subject_id`.
CREATE TABLE scholarship_applications (
    id               uuid PRIMARY KEY,
    scholarship_code text NOT NULL REFERENCES scholarships (code),
    person_id        uuid NOT NULL REFERENCES people (id),
    subject_id       uuid NOT NULL,
    status           text NOT NULL CHECK (status IN ('requested', 'awarded', 'declined', 'used')),
    statement        bytea NOT NULL,
    answer           bytea,
    requested_at     timestamptz NOT NULL,
    decided_at       timestamptz,
    decided_by       uuid REFERENCES staff (id),
    CHECK ((status = 'requested') = (decided_at IS NULL))
);
CREATE UNIQUE INDEX scholarship_applications_open
    ON scholarship_applications (person_id, scholarship_code)
    WHERE status IN ('requested', 'awarded');
CREATE INDEX scholarship_applications_time ON scholarship_applications (requested_at DESC, id DESC);
CREATE INDEX scholarship_applications_status
    ON scholarship_applications (status, requested_at DESC, id DESC);
CREATE INDEX scholarship_applications_code
    ON scholarship_applications (scholarship_code, requested_at DESC, id DESC);
CREATE INDEX scholarship_applications_person
    ON scholarship_applications (person_id, requested_at DESC, id DESC);

-- A live quote reserves its share of the scholarship's fund, an accepted one is the grant.
CREATE TABLE quotes (
    id                uuid PRIMARY KEY,
    effect_key        text NOT NULL UNIQUE,
    cohort_id         uuid NOT NULL REFERENCES cohorts (id),
    person_id         uuid NOT NULL REFERENCES people (id),
    currency          text NOT NULL CHECK (length(currency) = 3),
    list_minor        bigint NOT NULL CHECK (list_minor >= 0),
    discount_code     text REFERENCES discounts (code),
    discount_minor    bigint NOT NULL DEFAULT 0 CHECK (discount_minor >= 0),
    scholarship_code  text REFERENCES scholarships (code),
    scholarship_minor bigint NOT NULL DEFAULT 0 CHECK (scholarship_minor >= 0),
    application_id    uuid REFERENCES scholarship_applications (id),
    net_minor         bigint NOT NULL CHECK (net_minor >= 0),
    status            text NOT NULL CHECK (status IN ('live', 'accepted', 'cancelled', 'expired')),
    created_at        timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL CHECK (expires_at > created_at),
    decided_at        timestamptz,
    CHECK (net_minor = list_minor - discount_minor - scholarship_minor),
    CHECK ((status = 'live') = (decided_at IS NULL)),
    CHECK (discount_code IS NOT NULL OR discount_minor = 0),
    CHECK (scholarship_code IS NOT NULL OR scholarship_minor = 0)
);
CREATE INDEX quotes_time ON quotes (created_at DESC, id DESC);
CREATE INDEX quotes_person ON quotes (person_id, created_at DESC, id DESC);
CREATE INDEX quotes_cohort ON quotes (cohort_id, created_at DESC, id DESC);
CREATE INDEX quotes_status ON quotes (status, created_at DESC, id DESC);
CREATE INDEX quotes_due ON quotes (expires_at, id) WHERE status = 'live';
CREATE INDEX quotes_fund ON quotes (scholarship_code) INCLUDE (status, scholarship_minor)
    WHERE status IN ('live', 'accepted') AND scholarship_code IS NOT NULL;
CREATE INDEX quotes_discount ON quotes (discount_code)
    WHERE status IN ('live', 'accepted') AND discount_code IS NOT NULL;
CREATE UNIQUE INDEX quotes_award ON quotes (application_id)
    WHERE status IN ('live', 'accepted') AND application_id IS NOT NULL;

CREATE TABLE attendance (
    enrolment_id uuid NOT NULL REFERENCES enrolments (id),
    session_on   date NOT NULL,
    mark         text NOT NULL CHECK (mark IN ('present', 'absent', 'late', 'excused')),
    marked_by    uuid REFERENCES staff (id),
    marked_at    timestamptz NOT NULL,
    PRIMARY KEY (enrolment_id, session_on)
);

-- What a certificate certifies is copied, so that it stays as it was. The holder's name is sealed
-- with the key of `subject_id`: erasing the person leaves a certificate that names nobody.
CREATE TABLE certificates (
    number       text PRIMARY KEY,
    enrolment_id uuid NOT NULL REFERENCES enrolments (id),
    person_id    uuid NOT NULL REFERENCES people (id),
    subject_id   uuid NOT NULL,
    holder       bytea NOT NULL,
    course_code  text NOT NULL REFERENCES courses (code),
    title_es     text NOT NULL,
    title_en     text NOT NULL,
    hours        integer NOT NULL CHECK (hours > 0),
    starts_on    date NOT NULL,
    ends_on      date NOT NULL,
    issued_on    date NOT NULL,
    issued_at    timestamptz NOT NULL,
    signature    bytea NOT NULL,
    revoked_at   timestamptz,
    revoked_by   uuid REFERENCES staff (id),
    revoked_for  text,
    CHECK ((revoked_at IS NULL) = (revoked_for IS NULL))
);
CREATE UNIQUE INDEX certificates_valid ON certificates (enrolment_id) WHERE revoked_at IS NULL;
CREATE INDEX certificates_time ON certificates (issued_at DESC, number DESC);
CREATE INDEX certificates_person ON certificates (person_id, issued_at DESC, number DESC);
CREATE INDEX certificates_course ON certificates (course_code, issued_at DESC, number DESC);
