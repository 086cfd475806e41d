-- Who changed what, and which logins were let in or turned away: one row an entry, its document as JSON text.
-- `actor` is the actor's name; `kind`, `object_id` and `object_name` say what was changed (`login` for logins).
CREATE TABLE audit_entries (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    object_name TEXT NOT NULL,
    actor TEXT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX audit_entries_at ON audit_entries (at, id);
CREATE INDEX audit_entries_actor ON audit_entries (actor, at, id);
-- Logins are many and are found by time or user: they need not stand in the indexes of changes.
CREATE INDEX audit_entries_kind ON audit_entries (kind, at, id) WHERE kind <> 'login';
CREATE INDEX audit_entries_object_id ON audit_entries (object_id, at, id) WHERE kind <> 'login';
CREATE INDEX audit_entries_object_name ON audit_entries (object_name, at, id) WHERE kind <> 'login';
