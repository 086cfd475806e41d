-- Tokens of the management API, with the SHA-256 of each in its document. `organization` where the token is only for that one.
CREATE TABLE api_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    organization TEXT REFERENCES organizations (name),
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX api_tokens_organization ON api_tokens (organization);
-- Pages of one organization's clients.
CREATE INDEX clients_organization_id ON clients (organization, id);
