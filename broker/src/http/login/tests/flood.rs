//! What anybody can cause without an account costs no more than a bounded number of rows.

use homerealm_certs::SpKey;

use super::harness::Site;
use super::idp::{Idp, Says};
use crate::catalog::{AuditFilter, ConnectionOptions, LoginTrace};
use crate::login::fixtures::{now, request};
use crate::login::{AuthorizationRequest, sealed};

const ACS: &str = "/saml/acme-saml/acs";

fn for_acme() -> AuthorizationRequest {
    AuthorizationRequest { connection: Some("acme-saml".to_owned()), ..request() }
}

async fn traces(site: &Site) -> Vec<LoginTrace> {
    site.app().catalog.list_traces(200, None).await.unwrap().items
}

#[actix_web::test]
async fn a_flood_of_failures_is_answered_and_not_written_and_a_customers_failure_is() {
    let idp = Idp::new();
    let site = Site::with(&[idp.connection()]).await;
    let for_acme = AuthorizationRequest { connection: Some("acme-saml".to_owned()), ..request() };
    let (transaction, ..) = site.sent(for_acme).await;

    for _ in 0..65 {
        let page = site.get("/login?transaction=x", &[]).await;
        assert!(page.body.contains("data-reference=\""), "{}", page.body);
    }
    assert_eq!(traces(&site).await.len(), 60);

    let good = Says::good(site.running.issuer(), &transaction);
    let stolen = Says { audience: "https://other-sp.example".to_owned(), ..good };
    let form = [("SAMLResponse", &*idp.response(&stolen)), ("RelayState", &*transaction)];
    let refused = site.post(ACS, &form, &[]).await;
    assert_eq!(site.trace(&refused).await.code.as_deref(), Some("saml_audience_mismatch"));

    for _ in 0..25 {
        site.post(ACS, &form, &[]).await;
    }
    assert_eq!(traces(&site).await.len(), 80, "nor does one login fill the disk");
    site.at_minute(1);
    let page = site.get("/login?transaction=x", &[]).await;
    assert_eq!(site.trace(&page).await.code.as_deref(), Some("login_expired"));
    site.running.stop().await;
}

#[actix_web::test]
async fn a_denial_that_nobody_signed_leaves_a_trace_and_no_audit_entry() {
    let idp = Idp::new();
    let site = Site::with(&[idp.connection()]).await;
    let for_acme = AuthorizationRequest { connection: Some("acme-saml".to_owned()), ..request() };
    let (transaction, cookie, _) = site.sent(for_acme).await;
    let denied = Says::good(site.running.issuer(), &transaction).error("RequestDenied");
    let form = [("SAMLResponse", &*denied), ("RelayState", &*transaction)];
    assert_eq!(site.post(ACS, &form, &[]).await.status, 303);

    let path = format!("/login/continue?transaction={transaction}");
    let told = site.get(&path, &[("cookie", &site.cookie(&cookie))]).await;

    assert_eq!(told.status, 303, "{}", told.body);
    assert_eq!(traces(&site).await[0].code.as_deref(), Some("access_denied"));
    let entries = site.app().catalog.list_audit(&AuditFilter::default(), 9, None).await.unwrap();
    assert!(entries.items.is_empty(), "{entries:?}");
    site.running.stop().await;
}

#[actix_web::test]
async fn one_request_leads_to_three_decryptions_at_most() {
    let idp = Idp::new();
    let site = Site::with(&[idp.connection()]).await;
    let key = SpKey::generate("sp.example", now(), 365).unwrap();
    let sealer = &site.app().sealer;
    site.change("acme-saml", |connection| {
        let sealed = sealed::seal_sp_key(sealer, &connection.id, &key).unwrap();
        let ConnectionOptions::Saml(options) = &mut connection.options else { panic!("not SAML") };
        options.encrypt_assertions = true;
        options.sp_key = Some(sealed);
    })
    .await;
    let (first, ..) = site.sent(for_acme()).await;
    let (second, ..) = site.sent(for_acme()).await;
    let ask = async |transaction: &str, key: u8| {
        let response = Says::good(site.running.issuer(), transaction).encrypted(&[key; 256]);
        let form = [("SAMLResponse", &*response), ("RelayState", transaction)];
        let refused = site.post(ACS, &form, &[]).await;
        site.trace(&refused).await.code.unwrap()
    };

    for key in 1..=3 {
        assert_eq!(ask(&first, key).await, "saml_decryption_failed");
    }
    assert_eq!(ask(&first, 4).await, "saml_decryptions_exhausted");
    assert_eq!(ask(&second, 4).await, "saml_decryption_failed", "no marker was left");
    assert_eq!(ask(&second, 4).await, "saml_encrypted_key_reused");
    site.running.stop().await;
}
