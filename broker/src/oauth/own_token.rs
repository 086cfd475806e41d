//! Reads tokens that we signed ourselves.

use homerealm_certs::UnverifiedJws;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::app::App;

/// The claims of a token of ours: our own key, by `kid`, with the one algorithm that this key is for; and `typ`, so that no
/// token passes for one of another kind (RFC 8725 §3.11). Issuer and times are the caller's to check.
pub(super) fn verified<T: DeserializeOwned>(app: &App, token: &str, typ: &str) -> Option<T> {
    let token = UnverifiedJws::parse(token).ok()?;
    if token.typ() != Some(typ) {
        return None;
    }
    let keys = app.keys.current();
    let key = keys.by_kid(token.kid()?)?;
    let allowed = [key.algorithm().signature_algorithm()];
    let verified = token.verify(key.verification_key(), &allowed).ok()?;
    serde_json::from_value(Value::Object(verified.claims().ok()?)).ok()
}
