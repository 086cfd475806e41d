-- Initial access tokens of dynamic client registration (RFC 7591 §3), with the SHA-256 of each in its document.
CREATE TABLE registration_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES organizations (name),
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX registration_tokens_organization ON registration_tokens (organization);
