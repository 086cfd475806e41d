//! Where an IdP's metadata comes from, and what a connection refuses in it.

use chrono::{DateTime, Utc};
use homerealm_metadata::saml_idp::SamlIdpMetadata;
use serde_json::{Map, Value};
use url::Url;

use crate::app::App;

/// Bytes of one entity's metadata that are fetched at most.
const FETCH_BYTES: usize = 2 * 1024 * 1024;

/// What the document says; `inspect` describes, it refuses only what cannot be used at all.
pub(super) fn read(xml: &[u8], now: DateTime<Utc>) -> Result<SamlIdpMetadata, String> {
    SamlIdpMetadata::read(xml, None, now)
        .map_err(|refusal| format!("{} ({})", refusal, refusal.code()))
}

/// As [`read`], and refuses what a connection must not be made of: an expired document, http locations.
pub(super) fn checked(
    xml: &[u8],
    allow_http: bool,
    now: DateTime<Utc>,
) -> Result<SamlIdpMetadata, String> {
    let metadata = read(xml, now)?;
    if metadata.is_expired(now) {
        let until = metadata.valid_until.map(|t| t.to_rfc3339()).unwrap_or_default();
        return Err(format!(
            "expired at {until}: ask the identity provider for its current metadata"
        ));
    }
    if let (Some(location), false) = (metadata.http_locations().first(), allow_http) {
        return Err(format!(
            "holds the http location {location}: an identity provider must be reached by https"
        ));
    }
    Ok(metadata)
}

/// Fetches it through the one outbound client.
pub(super) async fn fetch(app: &App, address: &str) -> Result<Vec<u8>, String> {
    let url = Url::parse(address).map_err(|_| "must be an https address".to_owned())?;
    let accept = "application/samlmetadata+xml, application/xml, text/xml";
    let fetched = app
        .outbound
        .get(&url, accept, FETCH_BYTES)
        .await
        .map_err(|why| format!("could not be fetched: {why}"))?;
    if fetched.status != 200 {
        return Err(format!("could not be fetched: it answered {}", fetched.status));
    }
    Ok(fetched.body)
}

/// The document as we keep it.
pub(super) fn text(xml: &[u8]) -> String {
    String::from_utf8_lossy(xml).into_owned()
}

/// One source at a time: a patch that brings one takes the other away.
pub(super) fn prefer_the_patch(merged: &mut Map<String, Value>, patch: &Map<String, Value>) {
    let Some(Value::Object(changes)) = patch.get("options") else { return };
    let Some(Value::Object(options)) = merged.get_mut("options") else { return };
    let brings =
        |key: &str| changes.get(key).is_some_and(|v| !v.is_null() && options.get(key) != Some(v));
    let (url, xml) = (brings("metadata_url"), brings("metadata_xml"));
    if url && !xml {
        options.remove("metadata_xml");
    }
    if xml && !url {
        options.remove("metadata_url");
    }
}
