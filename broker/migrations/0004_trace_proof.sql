-- What stands behind a login's end: 0 a request that named no login, 1 a login that somebody had started, 2 a verified
-- statement of an identity provider. Of the first two only so many rows are kept.
ALTER TABLE login_traces ADD COLUMN proof BIGINT NOT NULL DEFAULT 2;
CREATE INDEX login_traces_unproven ON login_traces (proof, at) WHERE proof < 2;
