//! The document that `apply` reads and `export` writes.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use homerealm_certs::strict_json;
use serde_json::{Map, Value};
use url::form_urlencoded::byte_serialize;

/// A kind of object that a document holds.
#[derive(Debug)]
pub(super) struct Kind {
    /// Path of the management API; without its slash the member of the document.
    pub(super) path: &'static str,
    /// One of them, in messages.
    pub(super) word: &'static str,
    /// The members that tell one from another.
    key: &'static [&'static str],
}

/// What others refer to comes first.
pub(super) const KINDS: [Kind; 5] = [
    Kind { path: "/organizations", word: "organization", key: &["name"] },
    Kind { path: "/connections", word: "connection", key: &["name"] },
    Kind { path: "/clients", word: "client", key: &["client_id"] },
    Kind { path: "/resource-servers", word: "resource server", key: &["identifier"] },
    Kind {
        path: "/client-grants",
        word: "client grant",
        key: &["client_id", "default_for", "audience", "subject_type"],
    },
];

/// Bytes of a document at most: some ten thousand connections with their metadata.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Members of an answer that a POST does not take.
const ANSWERED: [&str; 4] = ["id", "urls", "created_at", "updated_at"];

/// What is wanted: per kind the bodies.
#[derive(Debug)]
pub(super) struct Document(Vec<(&'static str, Vec<Map<String, Value>>)>);

impl Document {
    /// Reads a file, or standard input for `-`.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let named = || file.display().to_string();
        let mut bytes = Vec::new();
        if file.as_os_str() == "-" {
            std::io::stdin().take(MAX_BYTES).read_to_end(&mut bytes).context("standard input")?;
        } else {
            let file = std::fs::File::open(file).with_context(named)?;
            file.take(MAX_BYTES).read_to_end(&mut bytes).with_context(named)?;
        }
        Self::parse(&bytes).with_context(named)
    }

    /// One JSON object of arrays; every object has its key and no other has the same.
    pub(super) fn parse(json: &[u8]) -> anyhow::Result<Self> {
        let Value::Object(mut members) = strict_json(json)? else {
            bail!("the document must be one JSON object");
        };
        let mut all = Vec::new();
        for kind in &KINDS {
            let underscored = kind.member().replace('-', "_");
            let mut taken = members.remove(kind.member());
            if underscored != kind.member()
                && let Some(other) = members.remove(&underscored)
                && taken.replace(other).is_some()
            {
                bail!("{} and {underscored} are the same member", kind.member());
            }
            if let Some(value) = taken {
                all.push((kind.path, bodies(kind, value)?));
            }
        }
        if members.contains_key("users") {
            bail!("users are not configuration: make and change them by the management API");
        }
        if let Some(unknown) = members.keys().next() {
            let known: Vec<&str> = KINDS.iter().map(Kind::member).collect();
            bail!("{unknown} is not a known member; known are {}", known.join(", "));
        }
        Ok(Self(all))
    }

    /// The wanted objects of a kind; `None` where the document does not name it.
    pub(super) fn of(&self, kind: &Kind) -> Option<&[Map<String, Value>]> {
        self.0.iter().find(|(path, _)| *path == kind.path).map(|(_, bodies)| bodies.as_slice())
    }
}

fn bodies(kind: &Kind, value: Value) -> anyhow::Result<Vec<Map<String, Value>>> {
    let Value::Array(values) = value else { bail!("{} must be an array", kind.member()) };
    let mut bodies: Vec<Map<String, Value>> = Vec::with_capacity(values.len());
    let mut names = std::collections::BTreeSet::new();
    for (place, value) in values.into_iter().enumerate() {
        let Value::Object(body) = value else {
            bail!("{}[{place}] must be an object", kind.member());
        };
        let has = |key: &str| body.get(key).is_some_and(Value::is_string);
        for key in kind.key {
            let is_told = match *key {
                "client_id" => has("client_id") || has("default_for"),
                "default_for" | "subject_type" => true,
                other => has(other),
            };
            if !is_told {
                bail!("{}[{place}] needs {key}, which tells it from others", kind.member());
            }
        }
        if !names.insert(kind.name(&body)) {
            bail!("{} {} is in the document twice", kind.word, kind.name(&body));
        }
        bodies.push(body);
    }
    Ok(bodies)
}

impl Kind {
    /// The member of the document.
    pub(super) fn member(&self) -> &'static str {
        self.path.trim_start_matches('/')
    }

    /// Whether one of them is found by listing all, because no path leads to it by its key.
    pub(super) const fn is_listed(&self) -> bool {
        self.key.len() > 1
    }

    /// The key, as people read it; the name in paths where it has one part.
    pub(super) fn name(&self, object: &Map<String, Value>) -> String {
        let part = |key: &&str| match (*key, object.get(*key).and_then(Value::as_str)) {
            ("default_for", Some(kind)) => Some(format!("default_for={kind}")),
            ("subject_type", None) => Some("user".to_owned()),
            (_, text) => text.map(str::to_owned),
        };
        self.key.iter().filter_map(part).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn is_same(&self, one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
        self.name(one) == self.name(other)
    }

    /// The path of one of them.
    pub(super) fn one(&self, id_or_name: &str) -> String {
        // `+` would be a space in a query only
        let encoded: String = byte_serialize(id_or_name.as_bytes()).collect();
        format!("{}/{}", self.path, encoded.replace('+', "%20"))
    }
}

/// The POST body that would make an object that the API shows: no secrets, nothing that is not set, and of a SAML
/// connection whose metadata has an address that address only.
pub(super) fn body_of(shown: Value) -> Value {
    let Value::Object(mut body) = shown else { return shown };
    for member in ANSWERED {
        body.remove(member);
    }
    if let Some(Value::Object(options)) = body.get_mut("options") {
        options.retain(|_, value| !value.is_null());
        if options.contains_key("metadata_url") {
            options.remove("metadata_xml");
        }
    }
    body.retain(|_, value| !value.is_null());
    Value::Object(body)
}
