-- Who was invited. `whom` is the SHA-256 of the address or identity while the invitation is open, NULL once it was accepted.
CREATE TABLE invitations (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES organizations (name),
    whom TEXT,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX invitations_organization ON invitations (organization);
CREATE INDEX invitations_whom ON invitations (whom);

-- Planned moves of users from one connection to another of the same organization. `caught_up`: users of later revisions are
-- not in identity_aliases yet.
CREATE TABLE identity_migrations (
    id TEXT NOT NULL PRIMARY KEY,
    connection TEXT NOT NULL REFERENCES connections (name),
    from_connection TEXT NOT NULL REFERENCES connections (name),
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL,
    caught_up BIGINT NOT NULL
);
CREATE INDEX identity_migrations_connection ON identity_migrations (connection);
CREATE INDEX identity_migrations_from_connection ON identity_migrations (from_connection);

-- What users of the old connection are recognized by, as SHA-256.
CREATE TABLE identity_aliases (
    migration TEXT NOT NULL REFERENCES identity_migrations (id),
    digest TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    PRIMARY KEY (migration, digest, user_id)
);
CREATE INDEX identity_aliases_user ON identity_aliases (user_id);

-- Whose login it was: '' nobody's that is known, '?' not noted by the version that wrote it.
ALTER TABLE login_traces ADD COLUMN user_id TEXT NOT NULL DEFAULT '?';
CREATE INDEX login_traces_user ON login_traces (user_id) WHERE user_id <> '';
