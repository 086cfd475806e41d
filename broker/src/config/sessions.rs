//! `[sessions]`: where logins under way, codes and replay markers are kept.

use std::path::PathBuf;

use super::reader::Reader;
use super::redis_url::{FORMS, RedisUrl};

/// The session store.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// `None`: embedded, beside the database.
    pub redis: Option<Redis>,
}

/// Sessions on Redis.
#[derive(Clone, Debug)]
pub struct Redis {
    /// Which one.
    pub url: RedisUrl,
    /// Start of every key.
    pub prefix: String,
    /// PEM file of the authorities that its certificate may come from; `None`: the system's.
    pub ca_file: Option<PathBuf>,
}

const DEFAULT_PREFIX: &str = "hr:";

impl Sessions {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let text = reader.text("sessions.url");
        let prefix = prefix(reader);
        let ca_file = reader.text("sessions.ca_file").map(PathBuf::from);
        let Some(text) = text else {
            for key in ["sessions.prefix", "sessions.ca_file"] {
                if reader.is_set(key) {
                    let fix = "set sessions.url as well, or remove it";
                    reader.problem(key, "belongs to Redis, which is not configured", fix);
                }
            }
            return Self { redis: None };
        };
        match RedisUrl::parse(&text) {
            Ok(url) => {
                if ca_file.is_some() && !url.tls {
                    let fix = "write rediss:// in sessions.url, or remove it";
                    reader.problem("sessions.ca_file", "is for TLS only", fix);
                }
                Self { redis: Some(Redis { url, prefix, ca_file }) }
            }
            Err(fault) => {
                reader.problem("sessions.url", fault.to_string(), FORMS);
                Self { redis: None }
            }
        }
    }
}

/// No braces (they are the hash tag's), nothing that a pattern of an ACL would read in another way.
fn prefix(reader: &mut Reader) -> String {
    const KEY: &str = "sessions.prefix";
    let Some(prefix) = reader.text(KEY) else { return DEFAULT_PREFIX.to_owned() };
    let plain = prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b":._-/".contains(&b));
    if !plain || prefix.len() > 64 {
        let fix = "use up to 64 letters, digits and : . _ - /";
        reader.problem(KEY, "has characters that a key's start may not have, or is too long", fix);
    }
    prefix
}
