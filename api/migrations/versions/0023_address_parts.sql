-- People are found by a part of their e-mail address, as leads are searched.
CREATE INDEX people_email_parts ON people USING gin (email gin_trgm_ops);
