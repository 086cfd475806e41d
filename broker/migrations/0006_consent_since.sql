-- Since when a user allows a client anything: what was issued before an earlier consent was withdrawn stays ended.
ALTER TABLE consents ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
