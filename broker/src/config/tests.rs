use super::*;

fn problems(toml: &str) -> Vec<String> {
    match Config::from_toml(toml, []) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn nothing_set_is_a_safe_configuration() {
    let config = Config::embedded().unwrap();

    assert_eq!(config.issuer.as_str(), "http://localhost:8080");
    assert!(config.issuer_follows_listen && config.listen.ip().is_loopback());
    assert_eq!(config.database.folder(), Some(Path::new("data")));
    assert!(config.http.trusted_proxies.is_empty() && config.admin.token.is_none());
    assert!(!config.upstream.allow_http && !config.upstream.allow_private_addresses);
    assert!(config.limits.enabled);
}

#[test]
fn the_environment_wins_over_the_file() {
    let toml = "issuer = \"https://a.example\"\n[http]\ntrusted_proxies = [\"10.0.0.0/8\"]\n[limits]\nenabled = true";
    let environment = environment(&[
        ("HOMEREALM_ISSUER", "https://b.example"),
        ("HOMEREALM_HTTP__TRUSTED_PROXIES", r#"["192.168.0.0/16", "::1"]"#),
        ("HOMEREALM_LIMITS__ENABLED", "false"),
        ("HOMEREALM_RETENTION__LOGIN_TRACES_DAYS", "7"),
        ("HOMEREALM_ADMIN__TOKEN", "01234567890123456789012345678901"),
        ("OTHER_ISSUER", "ignored"),
    ]);

    let config = Config::from_toml(toml, environment).unwrap();

    assert_eq!(config.issuer.as_str(), "https://b.example");
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert!(!config.limits.enabled);
    assert_eq!(config.retention.login_traces_days, 7);
    assert!(config.admin.token.is_some());
}

#[test]
fn all_problems_come_at_once_with_key_and_fix() {
    let toml = "isuer = \"x\"\nlisten = \"nowhere\"\n[admin]\ntoken = \"short\"\n[tls]\ncert = \"a.pem\"\n[limits]\nper_address = \"many\"\n";

    let found = problems(toml);

    assert_eq!(found.len(), 5, "{found:#?}");
    for (line, start) in found.iter().zip([
        "listen: ",
        "admin.token: ",
        "tls.key: ",
        "limits.per_address: ",
        "isuer: ",
    ]) {
        assert!(line.starts_with(start) && line.contains("; "), "{line}");
    }
    assert!(found.iter().any(|l| l.contains("did you mean `issuer`?")));
    assert!(!found.iter().any(|l| l.contains("short")), "a secret is never shown");
}

#[test]
fn unknown_keys_are_refused_wherever_they_stand() {
    for (toml, key) in [
        ("colour = 1", "colour"),
        ("[database]\nurl = \"sqlite:x.db\"\npool = 3", "database.pool"),
        ("[colours]\nred = 1", "colours"),
        ("admin = \"x\"", "admin"),
        ("\"http.trusted_proxies\" = []", "\"http.trusted_proxies\""),
        ("[database]\n\"url.x\" = 1", "database.\"url.x\""),
    ] {
        let found = problems(toml);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("{key}: unknown key")), "{found:?}");
    }
    let found =
        Config::from_toml("", environment(&[("HOMEREALM_ISUER", "x")])).unwrap_err().to_string();
    assert!(
        found.contains("isuer: unknown key in the environment; did you mean `issuer`?"),
        "{found}"
    );
}

#[test]
fn a_problem_of_the_environment_names_the_variable() {
    let found =
        Config::from_toml("", environment(&[("HOMEREALM_HTTP__TRUSTED_PROXIES", "10.0.0.0/8")]));

    let text = found.unwrap_err().to_string();
    assert!(
        text.contains("JSON array") && text.contains("HOMEREALM_HTTP__TRUSTED_PROXIES"),
        "{text}"
    );
}

#[test]
fn refresh_tokens_live_as_long_as_it_says() {
    let tokens = |toml: &str| Config::from_toml(toml, []).unwrap().refresh_tokens;
    let seconds = |tokens: RefreshTokens| {
        [tokens.grace, tokens.lifetime, tokens.idle_lifetime].map(|t| t.num_seconds())
    };

    assert_eq!(seconds(tokens("")), [10, 2_592_000, 1_296_000]);
    let toml = "[refresh_tokens]\ngrace_seconds = 0\nlifetime_seconds = 3600\nidle_lifetime_seconds = 3600";
    assert_eq!(seconds(tokens(toml)), [0, 3600, 3600]);

    for (toml, key) in [
        ("grace_seconds = 301", "refresh_tokens.grace_seconds"),
        ("lifetime_seconds = 59", "refresh_tokens.lifetime_seconds"),
        ("lifetime_seconds = 31536001", "refresh_tokens.lifetime_seconds"),
        ("lifetime_seconds = 3600", "refresh_tokens.idle_lifetime_seconds"),
    ] {
        let found = problems(&format!("[refresh_tokens]\n{toml}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("{key}: ")), "{found:?}");
    }
}

#[test]
fn sessions_are_embedded_or_on_redis() {
    assert!(Config::embedded().unwrap().sessions.redis.is_none());

    let toml = "[sessions]\nurl = \"rediss://u:secret@redis.example/1\"\nprefix = \"a:\"\nca_file = \"ca.pem\"";
    let config = Config::from_toml(toml, []).unwrap();
    assert!(!format!("{config:?}").contains("secret"));
    let redis = config.sessions.redis.unwrap();
    assert_eq!(
        (redis.url.to_string().as_str(), redis.prefix.as_str()),
        ("rediss://redis.example:6379", "a:")
    );
    assert_eq!(redis.ca_file.as_deref(), Some(Path::new("ca.pem")));

    for (toml, key) in [
        ("url = \"memcached://secret\"", "sessions.url"),
        ("url = \"redis://u:secret@a/x\"", "sessions.url"),
        ("prefix = \"hr:\"", "sessions.prefix"),
        ("ca_file = \"ca.pem\"", "sessions.ca_file"),
        ("url = \"redis://a\"\nca_file = \"ca.pem\"", "sessions.ca_file"),
        ("url = \"redis://a\"\nprefix = \"{x}\"", "sessions.prefix"),
        ("url = \"redis://a\"\nprefix = \"*\"", "sessions.prefix"),
    ] {
        let found = problems(&format!("[sessions]\n{toml}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("{key}: ")), "{found:?}");
        assert!(!found[0].contains("secret"));
    }
}

#[test]
fn postgresql_needs_what_nodes_share() {
    let database = "[database]\nurl = \"postgres://u:secret@db/hr\"\n";
    let parts = [
        ("sessions.url", "[sessions]\nurl = \"redis://a\"\n"),
        ("keys.master_key_file", "[keys]\nmaster_key_file = \"mk\"\n"),
        ("admin.token", "[admin]\ntoken = \"01234567890123456789012345678901\"\n"),
    ];
    let toml = |without: &str| {
        let rest = parts.iter().filter(|(key, _)| *key != without).map(|(_, text)| *text);
        format!("{database}{}", rest.collect::<String>())
    };

    let config = Config::from_toml(&toml(""), []).unwrap();
    assert!(config.database.folder().is_none() && config.database.file.is_none());
    assert!(!format!("{config:?}").contains("secret"));
    for (key, _) in parts {
        let found = problems(&toml(key));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(&format!("{key}: ")), "{found:?}");
        assert!(!found[0].contains("secret"));
    }
    assert_eq!(problems("[database]\nurl = \"postgres:db\"").len(), 1);
}

#[test]
fn unsafe_combinations_are_refused() {
    let insecure = "listen = \"0.0.0.0:8080\"";
    assert!(problems(insecure)[0].starts_with("listen: "));
    assert!(problems(&format!("{insecure}\nallow_insecure_container = true")).is_empty());
    assert!(problems(&format!("{insecure}\nissuer = \"https://login.example.com\"")).is_empty());
    assert!(problems("listen = \"[::ffff:127.0.0.1]:80\"").is_empty());

    let tls = "[tls]\ncert = \"c.pem\"\nkey = \"k.pem\"";
    assert!(problems(tls)[0].starts_with("issuer: is needed"));
    assert!(
        problems(&format!("issuer = \"http://localhost:1\"\n{tls}"))[0].starts_with("issuer: ")
    );
    assert!(problems(&format!("issuer = \"https://a.example\"\n{tls}")).is_empty());
    assert!(problems("issuer = \"http://login.example.com\"")[0].contains("not loopback"));
    assert!(problems("[http]\ntrusted_proxies = [\"0.0.0.0/0\"]")[0].contains("every address"));
}

#[test]
fn only_files_are_sqlite_databases() {
    for bad in [
        "sqlite::memory:",
        "sqlite:",
        "sqlite:x.db?mode=ro",
        "sqlite:data/",
        "sqlite:..",
        "mysql://x",
        "x.db",
    ] {
        assert_eq!(problems(&format!("[database]\nurl = \"{bad}\"")).len(), 1, "{bad}");
    }
    for (good, folder) in
        [("sqlite:x.db", "."), ("sqlite:///var/x.db", "/var"), ("sqlite:/var/lib/x.db", "/var/lib")]
    {
        let config = Config::from_toml(&format!("[database]\nurl = \"{good}\""), []).unwrap();
        assert_eq!(config.database.folder(), Some(Path::new(folder)));
    }
}

#[test]
fn numbers_flags_and_texts_keep_their_types() {
    for bad in [
        "listen = 8080",
        "issuer = \"\"",
        "allow_insecure_container = \"true\"",
        "[retention]\nlogin_traces_days = 0",
        "[retention]\nlogin_traces_days = \"30\"",
        "[http]\ntrusted_proxies = \"10.0.0.0/8\"",
        "[admin]\ntoken = \"with space 0123456789012345678901234567\"",
        "issuer",
    ] {
        assert_eq!(problems(bad).len(), 1, "{bad}: {:?}", problems(bad));
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let text = Config::load(Some(Path::new("no/such.toml")), []).unwrap_err().to_string();
    assert!(text.contains("no/such.toml"), "{text}");
}

const EXAMPLE: &str = include_str!("../../../homerealm.example.toml");

#[test]
fn the_example_explains_every_key_and_is_served_as_it_stands() {
    Config::from_toml(EXAMPLE, []).unwrap();

    let mut section = String::new();
    let mut seen = Vec::new();
    for line in EXAMPLE.lines() {
        let line = line.trim_start_matches("# ").trim();
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.split_once(']')) {
            section = format!("{}.", name.0);
        } else if let Some((key, _)) = line.split_once(" = ") {
            seen.push(format!("{section}{key}"));
        }
    }
    for key in KEYS {
        assert!(seen.iter().any(|s| s == key), "{key} is not explained");
    }
}
