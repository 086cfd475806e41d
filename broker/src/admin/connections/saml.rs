//! `options` of a SAML connection.

use chrono::{DateTime, Utc};
use homerealm_certs::SpKey;
use homerealm_metadata::entity_id::EntityId;

use super::draft::Kept;
use super::metadata_source;
use crate::admin::failure::Failure;
use crate::admin::fields::Fields;
use crate::app::App;
use crate::catalog::connection::{IdpInitiated, SealedSpKey};
use crate::catalog::{ConnectionOptions, ForeignDomains, SamlOptions};
use crate::login::sealed;

/// Characters of a metadata document, some more than the parser takes, so that the parser's reason is the one that is told.
const METADATA_CHARACTERS: usize = 2 * 1024 * 1024;
/// Default and largest size of a decoded response, bytes.
const RESPONSE_BYTES: u32 = 256 * 1024;
/// Days of our own certificate at an IdP: ten years. Nothing checks its end but a person, who should not have to.
const CERTIFICATE_DAYS: i64 = 3650;

pub(super) async fn read(
    app: &App,
    fields: &mut Fields,
    id: &str,
    kept: Option<&Kept<'_>>,
) -> Result<Option<SamlOptions>, Failure> {
    let old = kept.and_then(|kept| match &kept.old.options {
        ConnectionOptions::Saml(options) => Some(options.as_ref()),
        ConnectionOptions::OAuth2(_)
        | ConnectionOptions::Oidc(_)
        | ConnectionOptions::Password(_) => None,
    });
    let allow_idp_http = fields.flag("allow_idp_http").unwrap_or(false);
    if allow_idp_http && !app.config.upstream.allow_http {
        fields.refuse("allow_idp_http", "needs `upstream.allow_http = true` in the configuration");
    }
    let source = read_source(app, fields, old).await;
    let idp_initiated = read_idp_initiated(fields);
    let sign_requests = fields.flag("sign_requests");
    let sp_entity_id = fields
        .parsed("sp_entity_id", |text| EntityId::try_from(text).map(|id| id.as_str().to_owned()));
    let options = SamlOptions {
        metadata_xml: String::new(),
        metadata_url: None,
        sign_requests,
        idp_initiated,
        sp_entity_id,
        name_id_format: fields.text("name_id_format"),
        clock_skew_seconds: fields.number("clock_skew_seconds", 0..=300).unwrap_or(60),
        allow_sha1: fields.flag("allow_sha1").unwrap_or(false),
        allow_inclusive_c14n: fields.flag("allow_inclusive_c14n").unwrap_or(false),
        foreign_domains: read_foreign_domains(fields),
        subject_attribute: fields.text("subject_attribute"),
        encrypt_assertions: fields.flag("encrypt_assertions").unwrap_or(false),
        allow_idp_http,
        max_response_bytes: fields
            .number("max_response_bytes", 16_384..=1_048_576)
            .unwrap_or(RESPONSE_BYTES),
        sp_key: None,
    };
    let Some((metadata_xml, metadata_url)) = source else { return Ok(None) };
    let sp_key = match old.and_then(|old| old.sp_key.clone()) {
        Some(key) => key,
        None => make_key(app, id).await?,
    };
    Ok(Some(SamlOptions { metadata_xml, metadata_url, sp_key: Some(sp_key), ..options }))
}

pub(super) fn read_foreign_domains(fields: &mut Fields) -> ForeignDomains {
    fields.choice("foreign_domains", "refuse or omit_email").unwrap_or_default()
}

/// The entity id of a document that was taken once.
pub(super) fn entity_id(xml: &str, now: DateTime<Utc>) -> Option<String> {
    metadata_source::read(xml.as_bytes(), now).ok().map(|m| m.entity_id.as_str().to_owned())
}

/// The document and its address, with a usable key in it; a document that was taken before is not judged again.
async fn read_source(
    app: &App,
    fields: &mut Fields,
    old: Option<&SamlOptions>,
) -> Option<(String, Option<String>)> {
    let xml = fields.text_up_to("metadata_xml", METADATA_CHARACTERS);
    let url = fields.text("metadata_url");
    let allow_http = app.config.upstream.allow_http;
    if let Some(old) = old
        && xml.as_ref() == Some(&old.metadata_xml)
        && url == old.metadata_url
    {
        return Some((old.metadata_xml.clone(), old.metadata_url.clone()));
    }
    let (field, document, url) = match (xml, url) {
        (Some(xml), None) => ("metadata_xml", xml, None),
        (None, Some(url)) => match metadata_source::fetch(app, &url).await {
            Ok(body) => ("metadata_url", metadata_source::text(&body), Some(url)),
            Err(why) => {
                fields.refuse("metadata_url", why);
                return None;
            }
        },
        (Some(_), Some(_)) => {
            fields.refuse("metadata_url", "cannot be given together with metadata_xml");
            return None;
        }
        (None, None) => {
            fields.require::<()>("metadata_xml", None);
            return None;
        }
    };
    match metadata_source::checked(document.as_bytes(), allow_http, app.now()) {
        Ok(_) => Some((document, url)),
        Err(why) => {
            fields.refuse(field, why);
            None
        }
    }
}

fn read_idp_initiated(fields: &mut Fields) -> IdpInitiated {
    let Some(mut inner) = fields.object("idp_initiated") else { return IdpInitiated::default() };
    let enabled = inner.flag("enabled").unwrap_or(false);
    fields.absorb(inner);
    IdpInitiated { enabled }
}

/// A key of its own for each connection; making an RSA key takes long, so not on the worker that serves others.
async fn make_key(app: &App, id: &str) -> Result<SealedSpKey, Failure> {
    let (now, name) = (app.now(), format!("Homerealm {id}"));
    let key = tokio::task::spawn_blocking(move || SpKey::generate(&name, now, CERTIFICATE_DAYS))
        .await
        .map_err(|e| Failure::internal("making a key", &e))?
        .map_err(|e| Failure::internal("making a key", &e))?;
    sealed::seal_sp_key(&app.sealer, id, &key).map_err(|e| Failure::internal("sealing a key", &e))
}
