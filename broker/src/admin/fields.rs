//! Reads a JSON object field by field and collects every problem, so that an answer names them all at once.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::http::error::FieldError;

/// Longest text of a field that sets no limit of its own, characters.
const TEXT_LIMIT: usize = 2048;
/// Longest list of a field.
const LIST_LIMIT: usize = 1000;

/// What is left to read of a JSON object. A field that is `null` counts as absent.
#[derive(Debug)]
pub(super) struct Fields {
    rest: Map<String, Value>,
    prefix: String,
    errors: Vec<FieldError>,
    known: Vec<&'static str>,
}

impl Fields {
    pub(super) fn new(object: Map<String, Value>) -> Self {
        Self { rest: object, prefix: String::new(), errors: Vec::new(), known: Vec::new() }
    }

    /// Adds a problem with a field.
    pub(super) fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors
            .push(FieldError { field: format!("{}{field}", self.prefix), message: message.into() });
    }

    /// Every problem, unknown keys included.
    pub(super) fn finish(mut self) -> Vec<FieldError> {
        let unknown: Vec<String> = self.rest.keys().cloned().collect();
        for key in unknown {
            self.refuse(&key, format!("is not a known key; known are {}", self.known.join(", ")));
        }
        self.errors
    }

    /// Takes the problems of an inner object.
    pub(super) fn absorb(&mut self, inner: Self) {
        self.errors.extend(inner.finish());
    }

    fn take(&mut self, field: &'static str) -> Option<Value> {
        self.known.push(field);
        self.rest.remove(field).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, field: &'static str) -> Option<String> {
        self.text_up_to(field, TEXT_LIMIT)
    }

    pub(super) fn text_up_to(&mut self, field: &'static str, limit: usize) -> Option<String> {
        match self.take(field)? {
            Value::String(text) if text.chars().count() > limit => {
                self.refuse(field, format!("is longer than {limit} characters"));
                None
            }
            Value::String(text) if text.is_empty() => {
                self.refuse(field, "is empty");
                None
            }
            Value::String(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                self.refuse(field, "must be a string");
                None
            }
        }
    }

    /// A text for people: one line, no control characters.
    pub(super) fn label(&mut self, field: &'static str) -> Option<String> {
        let text = self.text_up_to(field, 200)?;
        if text.chars().any(char::is_control) || text.trim().is_empty() {
            self.refuse(field, "must be one line of text");
            return None;
        }
        Some(text)
    }

    pub(super) fn parsed<T, E: Display>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(field)?;
        parse(text).map_err(|why| self.refuse(field, why.to_string())).ok()
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Option<bool> {
        let value = self.take(field)?;
        if value.as_bool().is_none() {
            self.refuse(field, "must be true or false");
        }
        value.as_bool()
    }

    pub(super) fn number(
        &mut self,
        field: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let value = self.take(field)?;
        let number =
            value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| range.contains(n));
        if number.is_none() {
            self.refuse(
                field,
                format!("must be a whole number from {} to {}", range.start(), range.end()),
            );
        }
        number
    }

    pub(super) fn texts(&mut self, field: &'static str) -> Option<Vec<String>> {
        let value = self.take(field)?;
        let list = string_list(value);
        if list.is_none() {
            self.refuse(field, format!("must be a list of at most {LIST_LIMIT} strings"));
        }
        list
    }

    /// A list of texts, each read by `parse`; problems name the place in the list.
    pub(super) fn parsed_list<T, E: Display>(
        &mut self,
        field: &'static str,
        parse: impl Fn(String) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let texts = self.texts(field)?;
        let mut parsed = Vec::with_capacity(texts.len());
        for (place, text) in texts.into_iter().enumerate() {
            match parse(text) {
                Ok(value) => parsed.push(value),
                Err(why) => self.refuse(&format!("{field}.{place}"), why.to_string()),
            }
        }
        Some(parsed)
    }

    /// One of the texts that `T` knows.
    pub(super) fn choice<T: DeserializeOwned>(
        &mut self,
        field: &'static str,
        choices: &str,
    ) -> Option<T> {
        let value = self.take(field)?;
        let choice = serde_json::from_value(value).ok();
        if choice.is_none() {
            self.refuse(field, format!("must be {choices}"));
        }
        choice
    }

    /// A list of the texts that `T` knows.
    pub(super) fn choices<T: DeserializeOwned>(
        &mut self,
        field: &'static str,
        choices: &str,
    ) -> Option<Vec<T>> {
        let value = self.take(field)?;
        let list = serde_json::from_value(value).ok();
        if list.is_none() {
            self.refuse(field, format!("must be a list of {choices}"));
        }
        list
    }

    /// An object as it is, for a format of somebody else's.
    pub(super) fn members(&mut self, field: &'static str) -> Option<Map<String, Value>> {
        match self.take(field)? {
            Value::Object(members) => Some(members),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::String(_) => {
                self.refuse(field, "must be an object");
                None
            }
        }
    }

    pub(super) fn object(&mut self, field: &'static str) -> Option<Self> {
        let rest = self.members(field)?;
        let prefix = format!("{}{field}.", self.prefix);
        Some(Self { rest, prefix, errors: Vec::new(), known: Vec::new() })
    }

    /// A list of objects, each with its own place in the names of its problems.
    pub(super) fn objects(&mut self, field: &'static str) -> Option<Vec<Self>> {
        let Value::Array(items) = self.take(field)? else {
            self.refuse(field, "must be a list of objects");
            return None;
        };
        let mut objects = Vec::with_capacity(items.len());
        for (place, item) in items.into_iter().enumerate().take(LIST_LIMIT + 1) {
            let prefix = format!("{}{field}.{place}.", self.prefix);
            match item {
                Value::Object(rest) => {
                    objects.push(Self { rest, prefix, errors: Vec::new(), known: Vec::new() });
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::String(_) => {
                    self.refuse(&format!("{field}.{place}"), "must be an object");
                }
            }
        }
        if objects.len() > LIST_LIMIT {
            self.refuse(field, format!("must be a list of at most {LIST_LIMIT}"));
        }
        Some(objects)
    }

    /// A table of lists, e.g. our claim → upstream names; one string stands for a list of one.
    pub(super) fn table_of_lists(
        &mut self,
        field: &'static str,
    ) -> Option<BTreeMap<String, Vec<String>>> {
        let inner = self.object(field)?;
        let mut table = BTreeMap::new();
        for (key, value) in inner.rest {
            let list = match value {
                Value::String(one) => string_list(Value::Array(vec![Value::String(one)])),
                other @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_)) => string_list(other),
            };
            match list {
                Some(list) => drop(table.insert(key, list)),
                None => {
                    self.refuse(&format!("{field}.{key}"), "must be a string or a list of strings")
                }
            }
        }
        Some(table)
    }

    /// A table of texts.
    pub(super) fn table(&mut self, field: &'static str) -> Option<BTreeMap<String, String>> {
        let inner = self.object(field)?;
        let mut table = BTreeMap::new();
        for (key, value) in inner.rest {
            match value.as_str() {
                Some(text) if text.len() <= TEXT_LIMIT => drop(table.insert(key, text.to_owned())),
                Some(_) | None => self.refuse(&format!("{field}.{key}"), "must be a string"),
            }
        }
        Some(table)
    }

    /// What is known but not served yet is refused, never ignored.
    pub(super) fn not_yet(&mut self, field: &'static str) {
        if self.take(field).is_some() {
            self.refuse(field, "is not supported by this version; leave it out");
        }
    }

    /// Whether there is a problem with a field, or with one inside it.
    pub(super) fn is_refused(&self, field: &str) -> bool {
        let name = format!("{}{field}", self.prefix);
        let inside = format!("{name}.");
        self.errors.iter().any(|e| e.field == name || e.field.starts_with(&inside))
    }

    /// Refuses a required field that was not there (or was refused already: then one message is enough).
    pub(super) fn require<T>(&mut self, field: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.is_refused(field) {
            self.refuse(field, "is required");
        }
        value
    }
}

fn string_list(value: Value) -> Option<Vec<String>> {
    let list: Vec<String> = serde_json::from_value(value).ok()?;
    let fits =
        list.len() <= LIST_LIMIT && list.iter().all(|t| !t.is_empty() && t.len() <= TEXT_LIMIT);
    fits.then_some(list)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        let Value::Object(object) = value else { panic!("not an object") };
        Fields::new(object)
    }

    fn named(errors: Vec<FieldError>) -> Vec<String> {
        errors.into_iter().map(|e| e.field).collect()
    }

    #[test]
    fn collects_every_problem_with_its_path() {
        let mut f = fields(
            json!({"name": 1, "extra": 2, "options": {"skew": 301, "odd": true}, "list": ["a", ""]}),
        );

        assert_eq!(f.text("name"), None);
        let mut options = f.object("options").unwrap();
        assert_eq!(options.number("skew", 0..=300), None);
        f.absorb(options);
        assert_eq!(f.texts("list"), None);
        let missing: Option<String> = f.text("missing");
        f.require("missing", missing);

        assert_eq!(
            named(f.finish()),
            ["name", "options.skew", "options.odd", "list", "missing", "extra"]
        );
    }

    #[test]
    fn null_counts_as_absent() {
        let mut f = fields(json!({"name": null}));
        assert_eq!(f.text("name"), None);
        assert!(f.finish().is_empty());
    }

    #[test]
    fn labels_are_one_line() {
        let mut f = fields(json!({"a": "Acme\nEvil", "b": "Acme", "c": "  "}));
        assert_eq!(f.label("a"), None);
        assert_eq!(f.label("b").as_deref(), Some("Acme"));
        assert_eq!(f.label("c"), None);
        assert_eq!(named(f.finish()), ["a", "c"]);
    }
}
