//! What authorization requests of OpenID Connect and of plain OAuth have in common (RFC 6749 §4.1.1, RFC 7636).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use homerealm_certs::Random;
use url::Url;

/// Whether this name belongs to the protocol, so that `upstream_params` may not set it.
#[must_use]
pub fn is_protocol_parameter(name: &str) -> bool {
    const NAMES: [&str; 17] = [
        "claims",
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "id_token_hint",
        "nonce",
        "redirect_uri",
        "registration",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    ];
    NAMES.contains(&name)
}

/// 256 random bits; as a PKCE verifier 43 characters (RFC 7636 §4.1).
pub(crate) fn unguessable(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// RFC 7636 §4.2, method S256.
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// Parameters, each name once: the first to set one wins.
#[derive(Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        if !self.has(name) {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    pub(crate) fn add_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The endpoint's own query stays (Azure AD B2C keeps its policy there), except where it names what we set.
    pub(crate) fn on(&self, endpoint: &Url) -> Url {
        let own = endpoint.query_pairs().filter(|(name, _)| !self.has(name));
        let mut pairs: Vec<(String, String)> =
            own.map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
        pairs.extend_from_slice(&self.0);
        let mut url = endpoint.clone();
        url.query_pairs_mut().clear().extend_pairs(pairs);
        url
    }
}
