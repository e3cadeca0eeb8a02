-- Of somebody who proved who they are, by the person; of anybody else by the conversation alone.
CREATE TABLE course_dismissals (
    id              uuid PRIMARY KEY,
    course_code     text NOT NULL REFERENCES courses (code),
    person_id       uuid REFERENCES people (id),
    conversation_id uuid REFERENCES conversations (id),
    dismissed_at    timestamptz NOT NULL,
    CHECK (num_nonnulls(person_id, conversation_id) = 1)
);
CREATE UNIQUE INDEX course_dismissals_person ON course_dismissals (person_id, course_code)
    WHERE person_id IS NOT NULL;
CREATE UNIQUE INDEX course_dismissals_conversation
    ON course_dismissals (conversation_id, course_code) WHERE conversation_id IS NOT NULL;
