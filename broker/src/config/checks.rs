//! What is refused although each value by itself can be read.

use super::Config;
use super::issuer::is_loopback;
use super::reader::Reader;

/// Keys whose feature this version does not have: refused, never ignored.
pub(super) fn not_served_yet(reader: &mut Reader) {
    let grace = reader.number("refresh_tokens.grace_seconds", 10, 0..=300);
    if grace != 10 {
        let fix = "remove it, or leave the default of 10";
        reader.problem("refresh_tokens.grace_seconds", "refresh tokens are not served yet", fix);
    }
}

/// Values that must not stand together.
pub(super) fn unsafe_combinations(reader: &mut Reader, config: &Config) {
    plain_http_stays_on_this_machine(reader, config);
    tls_and_issuer_agree(reader, config);
    nodes_share_what_they_need(reader, config);
}

/// RULES 37.
fn plain_http_stays_on_this_machine(reader: &mut Reader, config: &Config) {
    let exposed = !config.issuer.is_https() && !is_loopback(config.listen.ip());
    if exposed && !config.allow_insecure_container {
        reader.problem(
            "listen",
            format!("`{}` is reachable from other machines while the issuer is http", config.listen),
            "set an https issuer, listen on 127.0.0.1, or set allow_insecure_container = true in a container on a \
             developer's machine",
        );
    }
}

fn tls_and_issuer_agree(reader: &mut Reader, config: &Config) {
    if config.tls.is_some() && !config.issuer.is_https() {
        let message = if config.issuer_follows_listen {
            "is needed beside [tls]".to_owned()
        } else {
            format!("`{}` is http although [tls] serves https", config.issuer)
        };
        reader.problem(
            "issuer",
            message,
            "write the https URL that the certificate is for, or remove [tls]",
        );
    }
}

/// PostgreSQL is for several nodes: what each would otherwise keep or make up beside its own database must be shared, or a
/// code could be spent on two nodes, and none could read what another sealed (RULES 34, 35).
fn nodes_share_what_they_need(reader: &mut Reader, config: &Config) {
    if config.database.file.is_some() {
        return;
    }
    let missing = [
        ("sessions.url", "name the Redis that all nodes use"),
        ("keys.master_key_file", "make one with `homerealm keys generate-master FILE`"),
        ("admin.token", "make one with `openssl rand -hex 32`"),
    ];
    for (key, fix) in missing {
        if !reader.is_set(key) {
            reader.problem(key, "is missing beside a PostgreSQL database", fix);
        }
    }
}
