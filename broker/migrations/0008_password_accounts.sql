-- People who sign in with a password of ours. `email_key`: the address in lower case.
CREATE TABLE password_accounts (
    id TEXT NOT NULL PRIMARY KEY,
    connection TEXT NOT NULL REFERENCES connections (name),
    email_key TEXT NOT NULL,
    revision BIGINT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (connection, email_key)
);
