//! The catalog on a real SQLite file; on PostgreSQL too where `HOMEREALM_TEST_POSTGRES` names an empty database.

mod domains;
mod lifecycle;
mod logins;
mod objects;
mod opening;
mod plans;
mod samples;
