//! What has to change for an object to be as the document has it.

use serde_json::{Map, Value};

/// Tables whose entries come and go as a whole; other objects merge.
const TABLES: [&str; 4] = ["acr_values", "claims", "roles", "upstream_params"];
/// Never shown by the API, so never compared.
const SECRETS: [&str; 1] = ["client_secret"];
/// Characters of a value that a line shows.
const SHOWN: usize = 60;

/// What is wanted, with the domains of an organization that DNS proves or proved as they are: claiming and losing them is
/// not the document's business, unless it says `"proof": "operator"`.
pub(super) fn leaving_dns_alone(
    wanted: &Map<String, Value>,
    found: &Map<String, Value>,
) -> Map<String, Value> {
    let mut wanted = wanted.clone();
    let (Some(Value::Array(domains)), Some(Value::Array(held))) =
        (wanted.get_mut("domains"), found.get("domains"))
    else {
        return wanted;
    };
    let same = |one: &Value, other: &Value| one.is_object() && one.get("name") == other.get("name");
    for domain in domains.iter_mut() {
        let found = held.iter().find(|held| same(held, domain));
        match (found, proof(domain)) {
            (Some(found), Some("operator")) if proof(found) != Some("dns") => {
                if let Value::Object(members) = domain {
                    members.remove("proof");
                }
            }
            (_, Some("operator")) => {}
            (Some(found), said) if proof(found).or(said) == Some("dns") => *domain = found.clone(),
            (Some(_) | None, _) => {}
        }
    }
    let is_listed = |held: &&Value| domains.iter().any(|domain| same(domain, held));
    let by_dns = held.iter().filter(|held| proof(held) == Some("dns"));
    let missing: Vec<Value> = by_dns.filter(|held| !is_listed(held)).cloned().collect();
    domains.retain(|domain| proof(domain) != Some("dns") || held.iter().any(|h| same(h, domain)));
    domains.extend(missing);
    wanted
}

fn proof(domain: &Value) -> Option<&str> {
    domain.get("proof").and_then(Value::as_str)
}

/// The merge patch (RFC 7396) from what is there to what is wanted; empty where nothing has to change.
pub(super) fn patch(
    wanted: &Map<String, Value>,
    found: &Map<String, Value>,
    secrets: bool,
) -> Map<String, Value> {
    let mut patch = Map::new();
    for (name, want) in wanted {
        let have = found.get(name).unwrap_or(&Value::Null);
        if SECRETS.contains(&name.as_str()) {
            if secrets {
                patch.insert(name.clone(), want.clone());
            }
            continue;
        }
        match (want, have) {
            (Value::Object(want), Value::Object(have)) if !TABLES.contains(&name.as_str()) => {
                let inner = self::patch(want, have, secrets);
                if !inner.is_empty() {
                    patch.insert(name.clone(), Value::Object(inner));
                }
            }
            (Value::Object(want), Value::Object(have)) => {
                let gone = have.keys().filter(|key| !want.contains_key(*key));
                let gone: Vec<_> = gone.map(|key| (key.clone(), Value::Null)).collect();
                if want != have {
                    patch.insert(
                        name.clone(),
                        Value::Object(want.clone().into_iter().chain(gone).collect()),
                    );
                }
            }
            (want, have) if !is_same(want, have) => {
                patch.insert(name.clone(), want.clone());
            }
            _ => {}
        }
    }
    patch
}

/// Whether two values mean the same: what the document leaves out of an item of a list is its default.
fn is_same(want: &Value, have: &Value) -> bool {
    match (want, have) {
        (Value::Array(want), Value::Array(have)) => {
            want.len() == have.len() && want.iter().zip(have).all(|(w, h)| is_same(w, h))
        }
        (Value::Object(want), Value::Object(have)) => {
            let named = want.iter().all(|(k, w)| is_same(w, have.get(k).unwrap_or(&Value::Null)));
            named && have.iter().all(|(k, h)| want.contains_key(k) || is_default(h))
        }
        (want, have) => want == have,
    }
}

fn is_default(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false))
}

/// A line for each value that a patch changes: its path, what it was, what it becomes.
pub(super) fn changes(patch: &Map<String, Value>, found: &Map<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    note(&mut lines, "", patch, found);
    lines
}

fn note(
    lines: &mut Vec<String>,
    prefix: &str,
    patch: &Map<String, Value>,
    found: &Map<String, Value>,
) {
    for (name, new) in patch {
        let path = format!("{prefix}{name}");
        let old = found.get(name).unwrap_or(&Value::Null);
        match (new, old) {
            (Value::Object(new), Value::Object(old)) => {
                note(lines, &format!("{path}."), new, old);
            }
            _ if SECRETS.contains(&name.as_str()) => lines.push(format!("{path}: (secret)")),
            _ if new == old => {}
            _ => lines.push(format!("{path}: {} -> {}", brief(old), brief(new))),
        }
    }
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start}… ({} bytes)", text.len())
}
