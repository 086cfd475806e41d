//! Takes values out of TOML and environment by key, collecting problems instead of stopping at the first.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::str::FromStr;

use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::KEYS;
use super::problem::{Problem, Problems};

const PREFIX: &str = "HOMEREALM_";
const ENVIRONMENT: &str = "environment";

/// The merged layers and what was found wrong so far.
#[derive(Debug)]
pub(super) struct Reader {
    figment: Figment,
    problems: Vec<Problem>,
}

impl Reader {
    /// Merges the layers; the environment wins.
    pub(super) fn new(
        toml: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Problems> {
        let figment = Figment::new().merge(Toml::string(toml)).merge(Environment::of(environment));
        let tree = figment.extract::<Value>().map_err(|e| {
            let text = e.to_string();
            let line =
                text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ");
            Problems::one(Problem::new(
                "configuration",
                format!("not TOML: {line}"),
                "correct the file",
            ))
        })?;
        let mut reader = Self { figment, problems: Vec::new() };
        if let Value::Dict(_, dict) = &tree {
            reader.refuse_unknown("", dict);
        }
        Ok(reader)
    }

    /// All problems, in the order of [`KEYS`].
    pub(super) fn finish(mut self) -> Result<(), Problems> {
        let place = |p: &Problem| KEYS.iter().position(|k| *k == p.key).unwrap_or(KEYS.len());
        self.problems.sort_by_key(place);
        Problems::check(self.problems)
    }

    /// Whether anything is written for this key.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.figment.contains(key)
    }

    pub(super) fn problem(
        &mut self,
        key: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let mut problem = Problem::new(key, message, fix);
        problem.source = self.comes_from_environment(key).then(|| {
            format!("from environment variable {PREFIX}{}", key.to_uppercase().replace('.', "__"))
        });
        self.problems.push(problem);
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let text = self.value(key)?.into_string().filter(|text| !text.is_empty());
        if text.is_none() {
            self.problem(key, "must be text", format!("write {} = \"…\"", last(key)));
        }
        text
    }

    /// A text that is read into a type; `form` is what it must look like.
    pub(super) fn parsed<T: FromStr>(&mut self, key: &'static str, form: &str) -> Option<T> {
        let text = self.text(key)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(key, format!("`{text}` cannot be read"), format!("write {form}"));
        }
        parsed
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let from_environment = self.comes_from_environment(key);
        match self.value(key) {
            None => default,
            Some(Value::Bool(_, flag)) => flag,
            Some(Value::String(_, text)) if from_environment && text == "true" => true,
            Some(Value::String(_, text)) if from_environment && text == "false" => false,
            Some(_) => {
                self.problem(key, "is neither true nor false", "write true or false");
                default
            }
        }
    }

    pub(super) fn number(
        &mut self,
        key: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let from_environment = self.comes_from_environment(key);
        let Some(value) = self.value(key) else { return default };
        let number = if let (true, Some(text)) = (from_environment, value.as_str()) {
            text.parse().ok()
        } else {
            value.to_i128().and_then(|n| u32::try_from(n).ok())
        };
        number.filter(|n| range.contains(n)).unwrap_or_else(|| {
            let fix = format!("write a whole number from {} to {}", range.start(), range.end());
            self.problem(key, "is out of range or not a number", fix);
            default
        })
    }

    /// A list of texts; in the environment a JSON array.
    pub(super) fn list(&mut self, key: &'static str) -> Vec<String> {
        let from_environment = self.comes_from_environment(key);
        let list = match self.value(key) {
            None => return Vec::new(),
            Some(Value::Array(_, values)) => {
                values.into_iter().map(Value::into_string).collect::<Option<Vec<_>>>()
            }
            Some(Value::String(_, text)) if from_environment => serde_json::from_str(&text).ok(),
            Some(_) => None,
        };
        list.unwrap_or_else(|| {
            let form = if from_environment { "a JSON array" } else { "an array" };
            self.problem(
                key,
                "is not a list of texts",
                format!("write {form} such as [\"a\", \"b\"]"),
            );
            Vec::new()
        })
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.figment.find_value(key).ok()
    }

    fn comes_from_environment(&self, key: &str) -> bool {
        self.value(key)
            .and_then(|value| self.figment.get_metadata(value.tag()).map(|m| m.name == ENVIRONMENT))
            .unwrap_or(false)
    }

    /// Unknown keys are errors, never ignored.
    fn refuse_unknown(&mut self, prefix: &str, dict: &Dict) {
        for (name, value) in dict {
            // a quoted key with a dot would otherwise look like a nested one
            let path = if name.contains('.') {
                format!("{prefix}\"{name}\"")
            } else {
                format!("{prefix}{name}")
            };
            if KEYS.contains(&path.as_str()) {
                continue;
            }
            if let (Value::Dict(_, inner), true) = (value, sections().contains(path.as_str())) {
                self.refuse_unknown(&format!("{path}."), inner);
                continue;
            }
            let message = match self.figment.get_metadata(value.tag()) {
                Some(m) if m.name == ENVIRONMENT => "unknown key in the environment",
                _ => "unknown key",
            };
            let fix = suggestion(&path);
            self.problems.push(Problem::new(path, message, fix));
        }
    }
}

/// Variables as texts: what a text means is decided by its key, so that a token of digits stays a token.
#[derive(Debug)]
struct Environment(Dict);

impl Environment {
    fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut dict = Dict::new();
        for (name, value) in variables {
            if let Some(path) = name.strip_prefix(PREFIX) {
                let path = path.to_lowercase();
                insert(&mut dict, &path.split("__").collect::<Vec<_>>(), value);
            }
        }
        Self(dict)
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named(ENVIRONMENT)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.0.clone())]))
    }
}

fn insert(dict: &mut Dict, path: &[&str], text: String) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        dict.insert((*first).to_owned(), Value::from(text));
        return;
    }
    let inner = dict.entry((*first).to_owned()).or_insert_with(|| Value::from(Dict::new()));
    if !matches!(inner, Value::Dict(..)) {
        *inner = Value::from(Dict::new());
    }
    if let Value::Dict(_, inner) = inner {
        insert(inner, rest, text);
    }
}

fn sections() -> BTreeSet<&'static str> {
    KEYS.iter().filter_map(|key| key.split_once('.')).map(|(section, _)| section).collect()
}

fn suggestion(path: &str) -> String {
    let nearest = KEYS.iter().map(|key| (distance(key, path), *key)).min();
    match nearest {
        _ if sections().contains(path) => {
            format!("`{path}` is a section: write [{path}] and its keys")
        }
        Some((distance, key)) if distance <= 3 || last(key) == last(path) => {
            format!("did you mean `{key}`?")
        }
        _ => "remove it; homerealm.example.toml lists every key".to_owned(),
    }
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// Levenshtein distance, row by row.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (pair, y) in row.windows(2).zip(b.chars()) {
            let [diagonal, above] = pair else { continue };
            let left = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(x != y)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
