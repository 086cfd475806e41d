//! Bodies of the management API: JSON objects, and JSON Merge Patch (RFC 7396).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, web};
use homerealm_certs::strict_json;
use serde_json::{Map, Value};

use super::failure::Failure;

/// Reads a body as one JSON object without repeated members.
///
/// # Errors
/// 415 for another content type, 400 for anything that is not such an object.
pub(super) fn object(
    request: &HttpRequest,
    body: &web::Bytes,
) -> Result<Map<String, Value>, Failure> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" && kind != "application/merge-patch+json" {
        return Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be sent as application/json (PATCH also takes application/merge-patch+json).",
        ));
    }
    match strict_json(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(malformed("the body must be a JSON object")),
        Err(why) => Err(malformed(&why.to_string())),
    }
}

/// The members of an object that we wrote ourselves.
pub(super) fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn malformed(why: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, format!("The body could not be read: {why}."))
}

/// RFC 7396 §2: `null` removes, objects merge, everything else replaces.
pub(super) fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => drop(target.remove(&key)),
            Value::Object(inner) => match target.get_mut(&key) {
                Some(Value::Object(old)) => merge(old, inner),
                Some(_) | None => {
                    let mut fresh = Map::new();
                    merge(&mut fresh, inner);
                    target.insert(key, Value::Object(fresh));
                }
            },
            other @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                target.insert(key, other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7396 appendix A, as far as both sides are objects.
    #[test]
    fn merges_as_the_vectors_of_the_rfc() {
        for (target, patch, merged) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let (Value::Object(mut target), Value::Object(patch)) = (target, patch) else {
                panic!()
            };
            merge(&mut target, patch);
            assert_eq!(Value::Object(target), merged);
        }
    }
}
