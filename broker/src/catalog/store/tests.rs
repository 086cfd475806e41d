//! The catalog on a real SQLite file; on PostgreSQL where `HOMEREALM_TEST_POSTGRES` names a server on which databases can be
//! made (`postgres://user@host/postgres`).

mod audit;
mod domains;
mod lifecycle;
mod logins;
mod nodes;
mod objects;
mod opening;
mod plans;
mod samples;
mod source;
mod upgrade;
