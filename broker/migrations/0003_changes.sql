-- What each write touched, so that other nodes forget exactly that: one row a revision, without gaps, since writers queue at
-- catalog_revision. `id` is random: after a restore, or a failover that lost writes, the same revision has another one.
-- `keys` is a JSON array of the cached answers that changed, each an array of words. Old rows are deleted.
CREATE TABLE changes (
    revision BIGINT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    keys TEXT NOT NULL
);
INSERT INTO changes (revision, id, keys) SELECT current, 'first', '[]' FROM catalog_revision;
