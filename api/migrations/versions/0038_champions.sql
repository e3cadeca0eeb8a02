-- Challengers that lost are kept for a while with what was found out about them.
ALTER TABLE recommenders ADD COLUMN serves boolean NOT NULL DEFAULT false;
UPDATE recommenders SET serves = true
    WHERE version = (SELECT max(version) FROM recommenders);
CREATE UNIQUE INDEX recommenders_serves ON recommenders (serves) WHERE serves;
