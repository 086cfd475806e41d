-- One text for SQLite and PostgreSQL: TEXT and BIGINT only, times as milliseconds of the Unix epoch, documents as JSON text.
-- Objects refer to each other by their immutable names. `revision` is the catalog's revision of the last write to the row.

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row; the first statement of every write advances it, so that writers queue here and other nodes can follow.
CREATE TABLE catalog_revision (
    id BIGINT NOT NULL PRIMARY KEY,
    current BIGINT NOT NULL
);
INSERT INTO catalog_revision (id, current) VALUES (1, 0);

-- What was deleted: a name is never given out again, and other nodes forget it.
CREATE TABLE tombstones (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE INDEX tombstones_revision ON tombstones (revision);

CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX organizations_revision ON organizations (revision);

CREATE TABLE organization_domains (
    name TEXT NOT NULL,
    organization TEXT NOT NULL REFERENCES organizations (name),
    verified BIGINT NOT NULL,
    PRIMARY KEY (name, organization)
);
CREATE INDEX organization_domains_organization ON organization_domains (organization);
CREATE UNIQUE INDEX organization_domains_holder ON organization_domains (name) WHERE verified = 1;

CREATE TABLE connections (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    organization TEXT REFERENCES organizations (name),
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX connections_organization ON connections (organization, name);
CREATE INDEX connections_revision ON connections (revision);

CREATE TABLE connection_domains (
    pattern TEXT NOT NULL,
    connection TEXT NOT NULL REFERENCES connections (name),
    PRIMARY KEY (pattern, connection)
);
CREATE INDEX connection_domains_connection ON connection_domains (connection);

CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT REFERENCES organizations (name),
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX clients_organization ON clients (organization);
CREATE INDEX clients_revision ON clients (revision);

-- The connections that a client's own list names.
CREATE TABLE client_connections (
    client_id TEXT NOT NULL REFERENCES clients (id),
    connection TEXT NOT NULL REFERENCES connections (name),
    PRIMARY KEY (client_id, connection)
);
CREATE INDEX client_connections_connection ON client_connections (connection);

CREATE TABLE resource_servers (
    id TEXT NOT NULL PRIMARY KEY,
    identifier TEXT NOT NULL UNIQUE,
    -- 'default' for the default API, else NULL: unique, so one at most
    default_slot TEXT UNIQUE,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX resource_servers_revision ON resource_servers (revision);

CREATE TABLE client_grants (
    id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (id),
    audience TEXT NOT NULL REFERENCES resource_servers (identifier),
    subject_type TEXT NOT NULL,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (client_id, audience, subject_type)
);
CREATE INDEX client_grants_audience ON client_grants (audience);
CREATE INDEX client_grants_revision ON client_grants (revision);

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX users_revision ON users (revision);

-- `digest`: SHA-256 over connection, issuer and subject, each with its length in front.
CREATE TABLE identities (
    digest TEXT NOT NULL PRIMARY KEY,
    connection TEXT NOT NULL REFERENCES connections (name),
    user_id TEXT NOT NULL REFERENCES users (id)
);
CREATE INDEX identities_connection ON identities (connection);
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE user_organizations (
    user_id TEXT NOT NULL REFERENCES users (id),
    organization TEXT NOT NULL REFERENCES organizations (name),
    PRIMARY KEY (user_id, organization)
);
CREATE INDEX user_organizations_organization ON user_organizations (organization);

-- Scopes that a user allowed a third-party client, as a JSON array.
CREATE TABLE consents (
    user_id TEXT NOT NULL REFERENCES users (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    revision BIGINT NOT NULL,
    scopes TEXT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX consents_client ON consents (client_id);

CREATE TABLE login_traces (
    id TEXT NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX login_traces_at ON login_traces (at, id);

-- `sealed`: PKCS#8 under the master key's subkey for signing keys, bound to the kid, base64.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    alg TEXT NOT NULL,
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    sealed TEXT NOT NULL
);
CREATE UNIQUE INDEX signing_keys_current ON signing_keys (alg, state) WHERE state <> 'retiring';
