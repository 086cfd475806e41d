//! From the userinfo answer to what the broker gets.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use chrono::TimeDelta;
use serde_json::{Map, Value};

use super::Rejection;
use super::settings::{OAuth2Settings, SubjectRule};
use super::userinfo::UserinfoAnswer;
use crate::assertion::{AssertionParts, ReplayKey, Subject, VerifiedAssertion};
use crate::code_flow::as_bool;
use crate::connector::Completion;

/// RFC 6749 §4.1.2: a code is good for ten minutes at most, and once; a server that does not keep to it meets our marker.
const CODE_LIFETIME: TimeDelta = TimeDelta::hours(1);

pub(super) fn assertion(
    settings: &OAuth2Settings,
    answer: &UserinfoAnswer,
    code: &str,
    completion: &mut Completion<'_>,
) -> Result<VerifiedAssertion, Rejection> {
    let attributes = attributes(&answer.members);
    let subject = subject(&settings.subject, &attributes)?;
    completion.checks.passed("oauth2_subject", Some(settings.subject.to_string()), None);
    let only = |name: &str| match attributes.get(name).map(Vec::as_slice) {
        Some([only]) => Some(only),
        Some(_) | None => None,
    };
    let upstream_email_verified = only("email_verified").and_then(as_bool);
    let replay = replay_key(&settings.connection, code);
    let parts = AssertionParts {
        issuer: settings.issuer.clone(),
        subject: Subject { mutable_email_like: subject.contains('@'), ..Subject::bare(subject) },
        attributes,
        auth_time: None,
        acr: None,
        amr: Vec::new(),
        session_index: None,
        session_not_on_or_after: None,
        replay: ReplayKey { value: replay, until: completion.now + CODE_LIFETIME },
        issued_at: completion.now,
        upstream_email_verified,
    };
    Ok(VerifiedAssertion::new(answer, parts))
}

fn subject(
    rule: &SubjectRule,
    attributes: &BTreeMap<String, Vec<Value>>,
) -> Result<String, Rejection> {
    let invalid = || Rejection::Subject { expected: rule.to_string() };
    let (SubjectRule::Attribute(name) | SubjectRule::Number(name)) = rule;
    let value = match attributes.get(name).map(Vec::as_slice) {
        Some([value]) => value,
        Some(_) => return Err(invalid()),
        None => return Err(Rejection::SubjectMissing { attribute: name.clone() }),
    };
    match (rule, value) {
        (_, Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
        (SubjectRule::Attribute(_), Value::String(text)) if is_sound(text) => Ok(text.clone()),
        _ => Err(invalid()),
    }
}

/// As for OpenID Connect: visible ASCII, so that two subjects that look alike are alike.
fn is_sound(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// How many objects within each other are looked into: X has its user in `data`, others have theirs two levels down.
const LEVELS: usize = 3;

/// Every member under its name, those of inner objects as `outer.inner`. A list becomes its values. A name that comes twice
/// belongs to the outermost.
fn attributes(members: &Map<String, Value>) -> BTreeMap<String, Vec<Value>> {
    let mut attributes = BTreeMap::new();
    let mut level = vec![(String::new(), members)];
    for _ in 0..LEVELS {
        let mut below = Vec::new();
        for (prefix, members) in level {
            for (name, value) in members {
                let name = format!("{prefix}{name}");
                let values = match value {
                    Value::Null => continue,
                    Value::Object(inner) => {
                        below.push((format!("{name}."), inner));
                        continue;
                    }
                    Value::Array(values) => values.clone(),
                    Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![value.clone()],
                };
                attributes.entry(name).or_insert(values);
            }
        }
        level = below;
    }
    attributes
}

fn replay_key(connection: &str, code: &str) -> String {
    let text = format!("code\n{connection}\n{code}");
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

impl std::fmt::Display for SubjectRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Attribute(name) => {
                write!(f, "`{name}`: a whole number, or 1 to 255 visible ASCII characters")
            }
            Self::Number(name) => write!(f, "`{name}`: a whole number"),
        }
    }
}
