-- A grant is a client's own, or the default of a kind of clients. The table is made anew, for a column that may be empty
-- now; its rows stay.
CREATE TABLE client_grants_of_clients_and_kinds (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT REFERENCES clients (id),
    default_for TEXT,
    audience TEXT NOT NULL REFERENCES resource_servers (identifier),
    subject_type TEXT NOT NULL,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (client_id, audience, subject_type),
    UNIQUE (default_for, audience, subject_type)
);
INSERT INTO client_grants_of_clients_and_kinds (id, client_id, audience, subject_type, revision, doc)
    SELECT id, client_id, audience, subject_type, revision, doc FROM client_grants;
DROP TABLE client_grants;
ALTER TABLE client_grants_of_clients_and_kinds RENAME TO client_grants;
CREATE INDEX client_grants_audience ON client_grants (audience);
CREATE INDEX client_grants_revision ON client_grants (revision);
