//! What the body of a client says about its keys, its certificate and its requests.

use homerealm_certs::{CertificateName, DistinguishedName, UpstreamKeySet, has_secret_members};
use serde_json::{Map, Value};

use super::draft::web_address;
use crate::admin::fields::Fields;
use crate::app::App;
use crate::catalog::ClientAuthMethod;
use crate::catalog::client::{ClientKeys, ClientRequests, ClientSigningAlgorithm, TlsNames};

/// Bytes of a registered key set.
const LONGEST_JWKS: usize = 32 * 1024;

/// Fields of [`TlsNames`].
const TLS_NAMES: &str = "tls_client_auth_subject_dn";

pub(super) fn read(fields: &mut Fields, app: &App, method: ClientAuthMethod) -> ClientKeys {
    let jwks = fields.members("jwks").and_then(|jwks| key_set(fields, jwks));
    let jwks_uri = fields.parsed("jwks_uri", web_address);
    if jwks.is_some() && jwks_uri.is_some() {
        fields.refuse("jwks_uri", "must not stand beside jwks");
    }
    let keys = ClientKeys {
        jwks,
        jwks_uri,
        token_endpoint_auth_signing_alg: algorithm(fields, "token_endpoint_auth_signing_alg"),
        request_object_signing_alg: algorithm(fields, "request_object_signing_alg"),
        tls: tls_names(fields),
    };
    has_what_its_method_needs(fields, app, method, &keys);
    keys
}

pub(super) fn read_requests(fields: &mut Fields, app: &App) -> ClientRequests {
    let mut flag = |name| fields.flag(name).unwrap_or(false);
    let requests = ClientRequests {
        dpop_bound_access_tokens: flag("dpop_bound_access_tokens"),
        tls_client_certificate_bound_access_tokens: flag(
            "tls_client_certificate_bound_access_tokens",
        ),
        require_pushed_authorization_requests: flag("require_pushed_authorization_requests"),
    };
    let by_certificate = requests.tls_client_certificate_bound_access_tokens;
    if by_certificate && requests.dpop_bound_access_tokens {
        let why = "must not stand beside dpop_bound_access_tokens";
        fields.refuse("tls_client_certificate_bound_access_tokens", why);
    } else if by_certificate && !app.config.client_certificates.are_seen() {
        let why = "needs [client_certificates] in the configuration";
        fields.refuse("tls_client_certificate_bound_access_tokens", why);
    }
    requests
}

/// RFC 7523, RFC 8705 §2: without these nobody could ever authenticate.
fn has_what_its_method_needs(
    fields: &mut Fields,
    app: &App,
    method: ClientAuthMethod,
    keys: &ClientKeys,
) {
    let settings = &app.config.client_certificates;
    let has_keys = keys.jwks.is_some() || keys.jwks_uri.is_some();
    let says_so = fields.is_refused("jwks") || fields.is_refused("jwks_uri");
    let by_keys = matches!(
        method,
        ClientAuthMethod::PrivateKeyJwt | ClientAuthMethod::SelfSignedTlsClientAuth
    );
    if by_keys && !has_keys && !says_so {
        fields.refuse("jwks", "is required for this method, or jwks_uri");
    }
    if method == ClientAuthMethod::SelfSignedTlsClientAuth {
        let certified = keys.jwks.as_ref().is_none_or(has_certificate);
        if !certified {
            fields.refuse("jwks", "must have a key with its certificate in x5c");
        }
    }
    if method == ClientAuthMethod::TlsClientAuth {
        if keys.tls.only().is_none() && !fields.is_refused(TLS_NAMES) {
            fields
                .refuse(TLS_NAMES, "or one of the tls_client_auth_san_… is required, and only one");
        }
        if app.client_authorities.is_none() {
            let why = "needs client_certificates.ca_file in the configuration";
            fields.refuse("token_endpoint_auth_method", why);
        }
    }
    let by_certificate = matches!(
        method,
        ClientAuthMethod::TlsClientAuth | ClientAuthMethod::SelfSignedTlsClientAuth
    );
    if by_certificate && !settings.are_seen() && !fields.is_refused("token_endpoint_auth_method") {
        let why = "needs [client_certificates] in the configuration";
        fields.refuse("token_endpoint_auth_method", why);
    }
}

/// Public keys that we can verify with, one at least.
fn key_set(fields: &mut Fields, jwks: Map<String, Value>) -> Option<Value> {
    let jwks = Value::Object(jwks);
    let text = jwks.to_string();
    let members = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_private = |key: &Value| key.as_object().is_some_and(has_secret_members);
    let problem = if text.len() > LONGEST_JWKS {
        "is too large"
    } else if members.iter().any(is_private) {
        "holds a private key: it is not secret any more, make another"
    } else if !UpstreamKeySet::parse(text.as_bytes()).is_ok_and(|set| !set.is_empty()) {
        "must be a JWK Set with a key for signatures: RSA of 2048 bits or more, P-256, P-384, Ed25519"
    } else {
        return Some(jwks);
    };
    fields.refuse("jwks", problem);
    None
}

fn has_certificate(jwks: &Value) -> bool {
    UpstreamKeySet::parse(jwks.to_string().as_bytes())
        .is_ok_and(|set| set.iter().any(|key| key.certificate.is_some()))
}

fn algorithm(fields: &mut Fields, name: &'static str) -> Option<ClientSigningAlgorithm> {
    fields.parsed(name, ClientSigningAlgorithm::try_from)
}

fn tls_names(fields: &mut Fields) -> TlsNames {
    let plain = |text: String| {
        let fits = text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(text) } else { Err("must be ASCII without spaces") }
    };
    let subject = |text: String| text.parse::<DistinguishedName>().map(|_| text);
    let ip = |text: String| {
        CertificateName::ip(&text).map(|_| text).map_err(|_| "must be an IP address")
    };
    TlsNames {
        tls_client_auth_subject_dn: fields.parsed("tls_client_auth_subject_dn", subject),
        tls_client_auth_san_dns: fields.parsed("tls_client_auth_san_dns", plain),
        tls_client_auth_san_uri: fields.parsed("tls_client_auth_san_uri", plain),
        tls_client_auth_san_ip: fields.parsed("tls_client_auth_san_ip", ip),
        tls_client_auth_san_email: fields.parsed("tls_client_auth_san_email", plain),
    }
}
