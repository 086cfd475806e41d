//! What is refused although each value by itself can be read.

use super::Config;
use super::issuer::is_loopback;
use super::reader::Reader;

/// Values that must not stand together.
pub(super) fn unsafe_combinations(reader: &mut Reader, config: &Config) {
    plain_http_stays_on_this_machine(reader, config);
    tls_and_issuer_agree(reader, config);
    nodes_share_what_they_need(reader, config);
    idle_ends_first(reader, config);
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

/// An idle lifetime that is longer than the whole one would never be reached.
fn idle_ends_first(reader: &mut Reader, config: &Config) {
    let tokens = &config.refresh_tokens;
    if tokens.idle_lifetime > tokens.lifetime {
        reader.problem(
            "refresh_tokens.idle_lifetime_seconds",
            "is longer than refresh_tokens.lifetime_seconds",
            "make it shorter, or the other longer",
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
