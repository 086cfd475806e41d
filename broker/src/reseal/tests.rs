use chrono::{DateTime, Utc};
use homerealm_certs::SpKey;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::catalog::OpenError;
use crate::keys::KeyRing;
use crate::seal::MasterKey;

const NOW: &str = "2030-01-01T00:00:00Z";

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&MasterKey::new([byte; 32])).unwrap()
}

fn now() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

async fn catalog(folder: &TempDir, byte: u8) -> Result<Catalog, OpenError> {
    let url = format!("sqlite:{}/homerealm.db", folder.path().display());
    Catalog::open(&url, &sealer(byte)).await
}

fn connection(name: &str, strategy: &str, options: &serde_json::Value) -> Connection {
    serde_json::from_value(json!({
        "id": format!("con_{name}"), "name": name, "vendor": "generic", "organization": null,
        "display_name": name, "domains": [], "is_domain_connection": false, "enabled": true, "clients": ["*"],
        "strategy": strategy, "options": options, "claims": {}, "created_at": NOW, "updated_at": NOW
    }))
    .unwrap()
}

fn oidc(name: &str, sealed_client_secret: Option<&str>) -> Connection {
    let options = json!({"issuer": "https://idp.example", "client_id": "x",
        "sealed_client_secret": sealed_client_secret, "scopes": ["openid"], "response_mode": null,
        "token_endpoint_auth_method": null, "acr_values": [], "upstream_params": {},
        "foreign_domains": "refuse", "tenant": null, "allowed_tenants": [], "authority": null,
        "clock_skew_seconds": 60});
    connection(name, "oidc", &options)
}

fn saml(name: &str, key: &SpKey) -> Connection {
    let options = json!({"metadata_xml": "<x/>", "metadata_url": null, "sp_entity_id": null,
        "sign_requests": null, "encrypt_assertions": true, "name_id_format": null,
        "clock_skew_seconds": 60, "allow_sha1": false, "allow_inclusive_c14n": false,
        "subject_attribute": null, "idp_initiated": {"enabled": false},
        "foreign_domains": "refuse", "allow_idp_http": false, "max_response_bytes": 262_144,
        "sp_key": sealed::seal_sp_key(&sealer(1), &format!("con_{name}"), key).unwrap()});
    connection(name, "saml", &options)
}

async fn of(catalog: &Catalog, name: &str) -> Connection {
    (*catalog.get::<Connection>(name).await.unwrap().unwrap().object).clone()
}

#[tokio::test]
async fn afterwards_the_new_key_opens_everything_and_the_old_one_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let before = catalog(&folder, 1).await.unwrap();
    let keys = KeyRing::load_or_create(&before, &sealer(1), now()).await.unwrap();
    let sp_key = SpKey::generate("sp", now(), 10).unwrap();
    let secret = sealed::seal_client_secret(&sealer(1), "con_op", "s3cret").unwrap();
    for object in [oidc("op", Some(&secret)), oidc("public", None), saml("idp", &sp_key)] {
        before.insert(&object).await.unwrap();
    }

    let resealed = reseal(&before, &sealer(1), &sealer(2)).await.unwrap();
    before.close().await;

    assert_eq!(resealed, Resealed { signing_keys: 6, connections: 2 });
    let refused = catalog(&folder, 1).await.unwrap_err();
    assert!(matches!(refused, OpenError::MasterKey(SealError::OtherKey)), "{refused}");
    let after = catalog(&folder, 2).await.unwrap();
    let again = KeyRing::load_or_create(&after, &sealer(2), now()).await.unwrap();
    assert_eq!(again.current().jwks(), keys.current().jwks());
    let ConnectionOptions::Oidc(options) = of(&after, "op").await.options else { panic!("oidc") };
    let secret = options.sealed_client_secret.unwrap();
    let opened = sealed::open_client_secret(&sealer(2), "con_op", &secret).unwrap();
    assert_eq!(opened.as_str(), "s3cret");
    assert!(sealed::open_client_secret(&sealer(1), "con_op", &secret).is_err());
    let ConnectionOptions::Saml(options) = of(&after, "idp").await.options else { panic!("saml") };
    let opened = sealed::open_sp_key(&sealer(2), "con_idp", &options.sp_key.unwrap()).unwrap();
    assert_eq!(opened.certificate().der(), sp_key.certificate().der());
}

#[tokio::test]
async fn one_value_that_does_not_open_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let before = catalog(&folder, 1).await.unwrap();
    KeyRing::load_or_create(&before, &sealer(1), now()).await.unwrap();
    let moved = sealed::seal_client_secret(&sealer(1), "con_other", "s3cret").unwrap();
    before.insert(&oidc("op", Some(&moved))).await.unwrap();

    let refused = reseal(&before, &sealer(1), &sealer(2)).await.unwrap_err();
    before.close().await;

    assert!(
        matches!(&refused, ResealError::Seal { what, .. } if what == "connection op"),
        "{refused}"
    );
    let after = catalog(&folder, 1).await.unwrap();
    KeyRing::load_or_create(&after, &sealer(1), now()).await.unwrap();
}

#[tokio::test]
async fn another_key_than_the_one_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let before = catalog(&folder, 1).await.unwrap();

    let refused = reseal(&before, &sealer(3), &sealer(2)).await.unwrap_err();

    assert!(matches!(refused, ResealError::Seal { source: SealError::OtherKey, .. }), "{refused}");
}
