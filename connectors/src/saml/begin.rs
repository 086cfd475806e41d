//! The AuthnRequest on its way: HTTP-Redirect where the IdP offers it, else HTTP-POST.

mod authn_request;
mod redirect;
mod signature;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homerealm_certs::SpKey;
use url::Url;

use self::authn_request::AuthnRequest;
use super::rejection::Rejection;
use crate::connector::{BeginRequest, Beginning, Begun, Expected};

/// What the connection's settings and the IdP's metadata say about requests.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    /// The IdP's SingleSignOnService by HTTP-Redirect.
    pub(super) redirect: Option<&'a str>,
    /// The IdP's SingleSignOnService by HTTP-POST.
    pub(super) post: Option<&'a str>,
    /// Our entity ID for this connection.
    pub(super) issuer: &'a str,
    pub(super) signing: Signing<'a>,
    pub(super) name_id_format: Option<&'a str>,
    /// The IdP reads `login_hint` beside the request; SAML has no place for one.
    ///
    /// Entra ID documents it. Others get none: to them it would be an e-mail address in a log.
    pub(super) takes_login_hint: bool,
}

/// Whether requests are signed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signing<'a> {
    Off,
    By(&'a SpKey),
    /// Requests have to be signed and the connection has no key.
    KeyMissing,
}

/// Makes the request of one login (SAML Profiles §4.1.4.1).
///
/// # Errors
/// The connection cannot make the request: no endpoint, no key, a handle that is not fit to be an ID.
pub(super) fn begin(
    sender: &Sender<'_>,
    request: &BeginRequest<'_>,
) -> Result<Beginning, Rejection> {
    let request_id = request_id(request.transaction)?;
    let key = match sender.signing {
        Signing::Off => None,
        Signing::By(key) => Some(key),
        Signing::KeyMissing => return Err(Rejection::RequestKeyMissing),
    };
    let message = |destination| AuthnRequest {
        acs: request.callback.as_str(),
        acr_values: request.acr_values,
        destination,
        // SAML has no word for choosing an account; an IdP that asks anew lets the user be another
        force_authn: request.force_login || request.select_account,
        id: &request_id,
        issue_instant: request.now,
        issuer: sender.issuer,
        name_id_format: sender.name_id_format,
    };
    let begun = match (sender.redirect, sender.post) {
        (Some(location), _) => {
            let url = target(location, sender, request)?;
            let xml = message(location).to_xml();
            Begun::Redirect { url: redirect::with_request(url, &xml, request.transaction, key)? }
        }
        (None, Some(location)) => {
            let action = target(location, sender, request)?;
            post(action, &message(location), request.transaction, key)?
        }
        (None, None) => return Err(Rejection::SsoEndpointMissing),
    };
    let expected =
        Expected::Saml { request_id, force_login: request.force_login, sent_at: request.now };
    Ok(Beginning { begun, expected })
}

/// 128 bits in base64url; hexadecimal is longer.
const MIN_HANDLE_CHARACTERS: usize = 22;
/// SAML Bindings §3.4.3, §3.5.3.
const MAX_RELAY_STATE_BYTES: usize = 80;

/// SAML Core §1.3.4: an ID is an NCName with 128 random bits or more. The handle brings the bits and is RelayState too.
fn request_id(handle: &str) -> Result<String, Rejection> {
    let is_name =
        handle.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !is_name || !(MIN_HANDLE_CHARACTERS..=MAX_RELAY_STATE_BYTES).contains(&handle.len()) {
        return Err(Rejection::RequestHandle);
    }
    Ok(format!("_{handle}"))
}

fn target(
    location: &str,
    sender: &Sender<'_>,
    request: &BeginRequest<'_>,
) -> Result<Url, Rejection> {
    let mut url = Url::parse(location).map_err(|_| Rejection::SsoEndpointMissing)?;
    url.set_fragment(None);
    if let Some(hint) = request.login_hint.filter(|_| sender.takes_login_hint) {
        url.query_pairs_mut().append_pair("login_hint", hint);
    }
    Ok(url)
}

/// SAML Bindings §3.5.4.
fn post(
    action: Url,
    message: &AuthnRequest<'_>,
    relay_state: &str,
    key: Option<&SpKey>,
) -> Result<Begun, Rejection> {
    let xml = match key {
        Some(key) => signature::signed(message, key)?,
        None => message.to_xml(),
    };
    let fields = vec![
        ("SAMLRequest".to_owned(), STANDARD.encode(xml)),
        ("RelayState".to_owned(), relay_state.to_owned()),
    ];
    Ok(Begun::Form { action, fields })
}
