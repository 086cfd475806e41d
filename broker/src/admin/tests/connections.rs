//! Connections, SAML and OpenID Connect.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{TimeZone as _, Utc};
use homerealm_certs::SpKey;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Api, send};

fn metadata(entity_id: &str, more: &str) -> String {
    let now = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap();
    let key = SpKey::generate("idp", now, 3650).unwrap();
    let certificate = STANDARD.encode(key.certificate().der());
    format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{entity_id}"{more}>
<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>
<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.acme.example/sso"/>
</IDPSSODescriptor></EntityDescriptor>"#
    )
}

fn saml(options: &Value) -> Value {
    json!({"name": "acme-saml", "strategy": "saml", "organization": "acme", "display_name": "Acme SSO",
           "domains": ["acme.example"], "options": options})
}

fn oidc() -> Value {
    json!({"name": "acme-oidc", "strategy": "oidc", "organization": "acme",
           "options": {"issuer": "https://op.acme.example/", "client_id": "us", "client_secret": "s3cret-upstream"}})
}

#[actix_web::test]
async fn a_saml_connection_has_its_defaults_its_addresses_and_no_secret() {
    let api = Api::start().await;
    api.acme().await;

    let made =
        api.create("/connections", saml(&json!({"metadata_xml": metadata("urn:idp", "")}))).await;

    let issuer = api.issuer();
    assert_eq!(
        made["urls"],
        json!({"acs": format!("{issuer}/saml/acme-saml/acs"),
               "metadata": format!("{issuer}/saml/acme-saml/metadata"),
               "entity_id": format!("{issuer}/saml/acme-saml/metadata")})
    );
    for (key, value) in [
        ("vendor", json!("generic")),
        ("enabled", json!(true)),
        ("clients", json!(["*"])),
        ("is_domain_connection", json!(false)),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    assert_eq!(made["options"]["clock_skew_seconds"], 60);
    assert_eq!(made["options"]["idp_initiated"], json!({"enabled": false}));
    assert!(!made.to_string().contains("sp_key"), "{made}");
    api.stop().await;
}

#[actix_web::test]
async fn options_merge_and_upstream_secrets_are_write_only() {
    let api = Api::start().await;
    api.acme().await;
    let made = api.create("/connections", oidc()).await;
    assert!(!made.to_string().contains("s3cret"), "{made}");
    assert_eq!(made["options"]["scopes"], json!(["openid", "profile", "email"]));
    let stored = || async {
        let found = api.running.app.catalog.get::<crate::catalog::Connection>("acme-oidc").await;
        match &found.unwrap().unwrap().object.options {
            crate::catalog::ConnectionOptions::Oidc(options) => {
                options.sealed_client_secret.clone()
            }
            crate::catalog::ConnectionOptions::OAuth2(_)
            | crate::catalog::ConnectionOptions::Password(_)
            | crate::catalog::ConnectionOptions::Saml(_) => None,
        }
    };
    let first = stored().await;
    assert!(first.is_some());

    let changed = api
        .patch("/connections/acme-oidc", json!({"options": {"response_mode": "form_post"}}))
        .await;

    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.body["options"]["response_mode"], "form_post");
    assert_eq!(changed.body["options"]["issuer"], "https://op.acme.example/");
    assert_eq!(stored().await, first, "a patch that leaves the secret out keeps it");
    api.patch("/connections/acme-oidc", json!({"options": {"client_secret": null}})).await;
    assert_eq!(stored().await, None, "null takes it away");
    api.stop().await;
}

#[actix_web::test]
async fn metadata_without_a_usable_key_makes_no_connection() {
    let api = Api::start().await;
    api.acme().await;
    let keyless = metadata("urn:idp", "").replace("KeyDescriptor", "NothingDescriptor");
    let http =
        metadata("urn:idp", "").replace("https://idp.acme.example", "http://idp.acme.example");
    let expired = metadata("urn:idp", " validUntil=\"2020-01-01T00:00:00Z\"");
    for (options, field) in [
        (json!({}), "options.metadata_xml"),
        (json!({"metadata_xml": "<x"}), "options.metadata_xml"),
        (json!({"metadata_xml": keyless}), "options.metadata_xml"),
        (json!({"metadata_xml": http}), "options.metadata_xml"),
        (json!({"metadata_xml": expired}), "options.metadata_xml"),
        (json!({"metadata_url": "https://127.0.0.1:1/metadata"}), "options.metadata_url"),
        (json!({"metadata_url": "file:///etc/passwd"}), "options.metadata_url"),
        (
            json!({"metadata_xml": metadata("urn:idp", ""), "clock_skew_seconds": 301}),
            "options.clock_skew_seconds",
        ),
        (json!({"metadata_xml": metadata("urn:idp", ""), "debug": true}), "options.debug"),
    ] {
        let answer = api.post("/connections", saml(&options)).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{}", answer.body);
    }
    assert_eq!(api.get("/connections").await.body["items"], json!([]));
    api.stop().await;
}

#[actix_web::test]
async fn domains_of_others_public_suffixes_and_unproven_wildcards_are_refused() {
    let api = Api::start().await;
    api.acme().await;
    let globex = json!([{"name": "globex.example", "verified": true}]);
    api.create("/organizations", json!({"name": "globex", "domains": globex})).await;
    for (domain, accepted) in [
        ("acme.example", true),
        ("*.acme.example", true),
        ("co.uk", false),
        ("globex.example", false),
        ("eu.globex.example", true),
        ("*.globex.example", false),
        ("*.other.example", false),
        ("not a domain", false),
    ] {
        let mut body = oidc();
        body["domains"] = json!([domain]);
        body["name"] = json!(format!("c-{}", domain.replace(['.', '*', ' '], "-")));
        let answer = api.post("/connections", body).await;
        assert_eq!(answer.status == 201, accepted, "{domain}: {}", answer.body);
        if !accepted {
            assert_eq!(answer.fields().first(), Some(&"domains.0"), "{domain}: {}", answer.body);
        }
    }
    api.stop().await;
}

#[actix_web::test]
async fn entra_is_made_from_its_tenant() {
    let api = Api::start().await;
    api.acme().await;
    let entra = |options: Value| json!({"name": "acme-entra", "strategy": "oidc", "vendor": "entra", "organization": "acme", "options": options});
    for (options, field) in [
        (json!({"client_id": "us"}), "options.tenant"),
        (json!({"client_id": "us", "tenant": "organizations"}), "options.allowed_tenants"),
        (json!({"client_id": "us", "tenant": "consumers"}), "options.tenant"),
        (
            json!({"client_id": "us", "tenant": "acme.example", "issuer": "https://x.example"}),
            "options.issuer",
        ),
        (
            json!({"client_id": "us", "tenant": "common", "allowed_tenants": ["x"]}),
            "options.allowed_tenants.0",
        ),
    ] {
        let answer = api.post("/connections", entra(options)).await;
        assert_eq!(answer.status, 422);
        assert!(answer.fields().contains(&field), "{field}: {}", answer.body);
    }
    let tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
    api.create("/connections", entra(json!({"client_id": "us", "tenant": tenant}))).await;
    api.stop().await;
}

#[actix_web::test]
async fn what_is_not_served_yet_is_refused() {
    let api = Api::start().await;
    api.acme().await;
    let mut exchange = oidc();
    exchange["exchange"] = json!({"assertions": ["id_token"]});
    assert_eq!(api.post("/connections", exchange).await.fields(), ["exchange"]);
    for strategy in ["ldap"] {
        let mut body = oidc();
        body["strategy"] = json!(strategy);
        assert_eq!(api.post("/connections", body).await.fields(), ["strategy"]);
    }
    api.stop().await;
}

#[actix_web::test]
async fn metadata_can_be_inspected_and_replaced() {
    let api = Api::start().await;
    api.acme().await;
    let first = metadata("urn:idp", "");
    api.create("/connections", saml(&json!({"metadata_xml": first}))).await;
    let send_xml = |method: Method, path: &'static str, xml: String| {
        send(
            api.request(method, path)
                .header("content-type", "application/samlmetadata+xml")
                .body(xml),
        )
    };

    let inspected = send_xml(Method::POST, "/metadata/inspect", metadata("urn:other", "")).await;
    assert_eq!((inspected.status, &inspected.body["entity_id"]), (200, &json!("urn:other")));
    assert_eq!(inspected.body["sso"][0]["binding"], "HTTP-Redirect");

    let put =
        send_xml(Method::PUT, "/connections/acme-saml/metadata", metadata("urn:other", "")).await;
    assert_eq!((put.status, &put.body["entity_id"]), (200, &json!("urn:other")));
    assert!(put.body["warnings"].to_string().contains("urn:idp"), "{}", put.body);
    let read = api.get("/connections/acme-saml").await.body;
    assert!(read["options"]["metadata_xml"].as_str().unwrap().contains("urn:other"));

    let refused =
        send_xml(Method::PUT, "/connections/acme-saml/metadata", "<nothing/>".to_owned()).await;
    assert_eq!((refused.status, refused.fields()), (422, vec!["metadata"]));
    assert_eq!(api.get("/connections/acme-saml").await.body, read, "bad input loses nothing");
    api.stop().await;
}

#[actix_web::test]
async fn name_strategy_and_organization_are_fixed() {
    let api = Api::start().await;
    api.acme().await;
    api.create("/organizations", json!({"name": "globex"})).await;
    api.create("/connections", oidc()).await;
    for (field, value) in [("name", json!("other")), ("organization", json!("globex"))] {
        let answer = api.patch("/connections/acme-oidc", json!({field: value})).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![field]));
    }
    api.stop().await;
}

#[actix_web::test]
async fn a_simulation_says_where_and_why() {
    let api = Api::start().await;
    api.acme().await;
    let mut connection = oidc();
    connection["domains"] = json!(["acme.example"]);
    api.create("/connections", connection).await;
    api.create(
        "/clients",
        json!({"client_id": "app", "client_name": "App", "first_party": true, "redirect_uris": ["https://a.example/cb"]}),
    )
    .await;
    let ask = |email: &'static str| {
        api.post(
            "/simulate/home-realm",
            json!({"email": email, "client_id": "app", "organization": null, "connection": null}),
        )
    };

    let known = ask("user@acme.example").await.body;
    let unknown = ask("user@nowhere.example").await.body;

    assert_eq!(known["decision"], json!({"kind": "connection", "connections": ["acme-oidc"]}));
    assert_eq!(known["reason"], "email_domain");
    assert_eq!(
        (&unknown["decision"]["kind"], &unknown["reason"]),
        (&json!("ask"), &json!("unknown_domain"))
    );
    assert_eq!(ask("not an address").await.fields(), ["email"]);
    api.stop().await;
}

/// RULES 19: it is ours to state, so no upstream name becomes it.
#[actix_web::test]
async fn only_claims_that_are_the_idps_to_state_can_be_mapped() {
    let api = Api::start().await;
    let options = json!({"issuer": "https://op.example", "client_id": "homerealm"});
    for claim in ["email_verified", "roles", "sub"] {
        let mapped =
            json!({"name": "op", "strategy": "oidc", "options": options, "claims": {claim: ["x"]}});
        let refused = api.post("/connections", mapped).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![&*format!("claims.{claim}")]));
    }
    api.stop().await;
}
