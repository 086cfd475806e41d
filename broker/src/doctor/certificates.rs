//! Certificates and metadata that end.

use chrono::{DateTime, Utc};
use homerealm_certs::Certificate;
use homerealm_metadata::saml_idp::{KeyUse, SamlIdpMetadata};

use super::{Finding, Level, connection_name, ending, ends};
use crate::catalog::{Connection, ConnectionOptions, SamlOptions};

/// What ends of one connection; OpenID Providers roll their keys by themselves.
pub(super) fn of_connection(connection: &Connection, now: DateTime<Utc>) -> Vec<Finding> {
    let ConnectionOptions::Saml(options) = &connection.options else { return Vec::new() };
    let mut findings = Vec::new();
    match SamlIdpMetadata::read(options.metadata_xml.as_bytes(), None, now) {
        Ok(metadata) => {
            findings.extend(idp_certificate(connection, &metadata, now));
            findings.extend(metadata_end(connection, &metadata, now));
        }
        Err(refusal) => findings.push(Finding::new(
            Level::Wrong,
            "idp_metadata",
            connection_name(connection),
            format!("the stored metadata cannot be used: {refusal}"),
            "ask the customer for the IdP's current metadata and PUT it to the connection",
        )),
    }
    findings.extend(our_certificate(connection, options, now));
    findings
}

/// The one that lasts longest counts: an IdP announces its next certificate beside the current one. A login does not look at
/// the end of a certificate, which is trusted for its key; but an IdP changes its key about then.
fn idp_certificate(
    connection: &Connection,
    metadata: &SamlIdpMetadata,
    now: DateTime<Utc>,
) -> Option<Finding> {
    let signing = metadata.certificates.iter().filter(|certificate| {
        certificate.dropped.is_none() && certificate.key_use != KeyUse::Encryption
    });
    let last = signing.max_by_key(|certificate| certificate.not_after)?;
    let level = ending(last.not_after, now)?;
    Some(Finding::new(
        level,
        "idp_certificate",
        connection_name(connection),
        format!(
            "the IdP's last signing certificate {} {}",
            last.subject,
            ends(last.not_after, now)
        ),
        "ask the customer for the IdP's new metadata before its key changes",
    ))
}

fn metadata_end(
    connection: &Connection,
    metadata: &SamlIdpMetadata,
    now: DateTime<Utc>,
) -> Option<Finding> {
    // an aggregate's entities live for days and are fetched anew: only the address tells
    let end = metadata.valid_until?;
    let level = ending(end, now)?;
    Some(Finding::new(
        level,
        "idp_metadata",
        connection_name(connection),
        format!("the IdP's metadata {}", ends(end, now)),
        "fetch it again: PATCH the connection's metadata_url, or PUT the new document",
    ))
}

fn our_certificate(
    connection: &Connection,
    options: &SamlOptions,
    now: DateTime<Utc>,
) -> Option<Finding> {
    let stored = options.sp_key.as_ref()?;
    let object = connection_name(connection);
    let Ok(certificate) = Certificate::from_base64(&stored.certificate) else {
        let fix = "restore the database, or create the connection anew";
        let message = "our certificate for it cannot be read";
        return Some(Finding::new(Level::Wrong, "sp_certificate", object, message, fix));
    };
    let end = certificate.not_after();
    let level = ending(end, now)?;
    Some(Finding::new(
        level,
        "sp_certificate",
        object,
        format!("our certificate at the IdP {}", ends(end, now)),
        "create a new connection, whose key is fresh, and move the customer to it",
    ))
}
