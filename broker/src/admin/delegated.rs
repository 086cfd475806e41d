//! What an organization's token may change of an object that it sees: members that are named, and no others.

use actix_web::HttpRequest;
use serde_json::{Map, Value};

use super::caller;
use super::failure::Failure;
use crate::http::error::FieldError;

/// Whether the caller may turn `before` into `after`; `own` names the members, and members of members (`options.x`), that an
/// organization's token may change.
///
/// # Errors
/// 403 that names each member beyond.
pub(super) fn only_changes(
    request: &HttpRequest,
    own: &[&str],
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Result<(), Failure> {
    let caller = caller::of(request).ok_or_else(|| Failure::forbidden(Vec::new()))?;
    if caller.organization().is_none() {
        return Ok(());
    }
    let message = format!("cannot be changed with this token, which may change {}", own.join(", "));
    let refused = |field: &String| !own.contains(&field.as_str());
    let errors: Vec<FieldError> = changed(before, after, true)
        .into_iter()
        .filter(refused)
        .map(|field| FieldError { field, message: message.clone() })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(Failure::forbidden(errors)) }
}

/// Names of the members that differ, of objects within the names of theirs.
fn changed(before: &Map<String, Value>, after: &Map<String, Value>, deeper: bool) -> Vec<String> {
    let added = after.keys().filter(|name| !before.contains_key(*name));
    let mut names = Vec::new();
    for name in before.keys().chain(added) {
        match (before.get(name), after.get(name)) {
            (old, new) if old == new => {}
            (Some(Value::Object(old)), Some(Value::Object(new))) if deeper => {
                let inner = changed(old, new, false);
                names.extend(inner.into_iter().map(|inner| format!("{name}.{inner}")));
            }
            _ => names.push(name.clone()),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(before: Value, after: Value) -> Vec<String> {
        let (Value::Object(before), Value::Object(after)) = (before, after) else { panic!() };
        changed(&before, &after, true)
    }

    #[test]
    fn what_differs_is_named_wherever_it_stands() {
        let before = json!({"a": 1, "b": {"x": 1, "y": {"z": 1}}, "c": [1]});
        assert!(names(before.clone(), before.clone()).is_empty());
        let after = json!({"a": 2, "b": {"y": {"z": 2}, "w": null}, "d": null});
        assert_eq!(names(before, after), ["a", "b.x", "b.y", "b.w", "c", "d"]);
        assert_eq!(names(json!({"b": {"x": 1}}), json!({"b": "text"})), ["b"]);
    }
}
