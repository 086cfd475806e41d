//! What anybody can cause without an account costs no more than a bounded number of rows.

use super::harness::Site;
use super::idp::{Idp, Says};
use crate::catalog::{AuditFilter, LoginTrace};
use crate::login::AuthorizationRequest;
use crate::login::fixtures::request;

const ACS: &str = "/saml/acme-saml/acs";

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
