//! `id_token_hint`: an ID token of ours, given back to say whom a request is about (OIDC Core §3.1.2.1, RP-Initiated
//! Logout §2).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::own_token::verified;
use super::token_issuer::ID_TOKEN_TYPE;
use crate::app::App;

/// What such a token says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct IdTokenHint {
    iss: String,
    /// The user.
    pub sub: String,
    /// The client that it was given to.
    #[serde(rename = "aud")]
    pub client_id: String,
    /// The session that it was given in.
    pub sid: Option<String>,
}

/// Reads a hint. An expired one says as much as a fresh one; one that a retired key signed says nothing.
pub fn read(app: &App, token: &str) -> Option<IdTokenHint> {
    let claims: Map<String, Value> = verified(app, token, ID_TOKEN_TYPE)?;
    // the signed claims of `/userinfo` have the same `typ`, and neither of these
    if !["exp", "at_hash"].iter().all(|name| claims.contains_key(*name)) {
        return None;
    }
    let hint: IdTokenHint = serde_json::from_value(Value::Object(claims)).ok()?;
    (hint.iss == app.config.issuer.as_str()).then_some(hint)
}

#[cfg(test)]
mod tests {
    use homerealm_certs::JwsAlgorithm;
    use serde_json::json;

    use super::*;
    use crate::oauth::fixtures::{Broker, WEB};
    use crate::oauth::token_issuer::TokenIssuer;

    /// Signed claims of `/userinfo` live for ever, so they must not pass for an ID token.
    #[actix_web::test]
    async fn a_hint_is_an_id_token_and_no_other_token_of_ours() {
        let broker = Broker::start().await;
        let whole = json!({
            "iss": broker.issuer(), "sub": "usr_1", "aud": WEB, "exp": 1, "at_hash": "x"
        });
        let read = async |missing: &str| {
            let mut claims = whole.clone();
            claims.as_object_mut().unwrap().remove(missing);
            let issuer = TokenIssuer::of(broker.app(), broker.now());
            let token = issuer.sign(JwsAlgorithm::Es256, ID_TOKEN_TYPE, claims).await.unwrap();
            read(broker.app(), &token).map(|hint| hint.sub)
        };

        assert_eq!(read("").await.as_deref(), Some("usr_1"));
        assert_eq!(read("exp").await, None);
        assert_eq!(read("at_hash").await, None);
    }
}
