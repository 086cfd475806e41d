use super::harness::{Cookie, Site};
use super::idp::{Idp, Says};
use crate::catalog::{Connection, ConnectionOptions, TraceOutcome};
use crate::login::complete::finish;
use crate::login::fixtures::{name, request};
use crate::login::transaction::Browser;
use crate::login::{AuthorizationRequest, LoginError};

const ACS: &str = "/saml/acme-saml/acs";

fn for_acme() -> AuthorizationRequest {
    AuthorizationRequest { connection: Some("acme-saml".to_owned()), ..request() }
}

async fn site(idp: &Idp) -> Site {
    Site::with(&[idp.connection()]).await
}

fn page(error: LoginError) -> (u16, &'static str) {
    match error {
        LoginError::Page(page) => (page.status, page.code),
        LoginError::ToClient(error) => (0, error.error),
    }
}

#[actix_web::test]
async fn a_verified_response_is_parked_and_finished_by_its_browser() {
    let idp = Idp::new();
    let site = site(&idp).await;
    let (transaction, cookie, url) = site.sent(for_acme()).await;
    let says = Says::good(site.running.issuer(), &transaction);
    assert!(url.as_str().starts_with("https://idp.example/sso?SAMLRequest="));

    let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*transaction)];
    let parked = site.post(ACS, &form, &[]).await;

    assert_eq!(parked.status, 303, "{}", parked.body);
    let to = site.running.issuer().url(&format!("/login/continue?transaction={transaction}"));
    assert_eq!(parked.location.as_deref(), Some(to.as_str()));
    let login = finish(site.app(), &cookie.browser(), &transaction).await.unwrap();
    assert_eq!(login.claims.email.as_deref(), Some("alice@acme.example"));
    assert_eq!(login.claims.email_verified, Some(true));
    assert_eq!(login.organization.unwrap().name.as_str(), "acme");
    assert!(login.user.id.starts_with("usr_"));

    let again = finish(site.app(), &cookie.browser(), &transaction).await.unwrap_err();
    assert_eq!(page(again), (400, "login_already_completed"));
    site.running.stop().await;
}

#[actix_web::test]
async fn the_login_is_found_by_in_response_to_where_relay_state_is_lost() {
    let idp = Idp::new();
    let site = site(&idp).await;
    let (transaction, ..) = site.sent(for_acme()).await;
    let says = Says::good(site.running.issuer(), &transaction);

    for relay_state in ["https://evil.example/", ""] {
        let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", relay_state)];
        let parked = site.post(ACS, &form, &[]).await;
        if relay_state.is_empty() {
            assert_eq!(parked.status, 400, "the second is not taken");
            assert!(parked.body.contains("/login/continue?transaction="), "{}", parked.body);
        } else {
            assert_eq!(parked.status, 303, "{}", parked.body);
        }
    }
    site.running.stop().await;
}

#[actix_web::test]
async fn a_refused_response_leaves_the_login_open_and_a_trace_behind() {
    let idp = Idp::new();
    let site = site(&idp).await;
    let (transaction, ..) = site.sent(for_acme()).await;
    let good = Says::good(site.running.issuer(), &transaction);
    let stolen = Says { audience: "https://other-sp.example".to_owned(), ..good.clone() };

    let form = [("SAMLResponse", &*idp.response(&stolen)), ("RelayState", &*transaction)];
    let refused = site.post(ACS, &form, &[]).await;

    assert_eq!(refused.status, 400);
    let trace = site.trace(&refused).await;
    assert_eq!(trace.code.as_deref(), Some("saml_audience_mismatch"));
    assert_eq!(trace.outcome, TraceOutcome::Failed);
    assert_eq!(trace.client_id.as_deref(), Some("app"));
    let failed = trace.checks.iter().filter(|c| c.code == "saml_audience_mismatch").count();
    assert_eq!(failed, 1);
    let form = [("SAMLResponse", &*idp.response(&good)), ("RelayState", &*transaction)];
    assert_eq!(site.post(ACS, &form, &[]).await.status, 303);
    site.running.stop().await;
}

#[actix_web::test]
async fn an_assertion_is_used_once() {
    let idp = Idp::new();
    let site = site(&idp).await;
    let arrive = async || -> (String, Cookie) {
        let (transaction, cookie, _) = site.sent(for_acme()).await;
        let says =
            Says { id: "_one".to_owned(), ..Says::good(site.running.issuer(), &transaction) };
        let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*transaction)];
        assert_eq!(site.post(ACS, &form, &[]).await.status, 303);
        (transaction, cookie)
    };
    let (first, second) = (arrive().await, arrive().await);

    let used = site.continued(&first.0, &first.1).await;
    let replayed = site.continued(&second.0, &second.1).await;
    let again = site.continued(&second.0, &second.1).await;

    assert!(used.location.unwrap().contains("code="));
    assert_eq!((replayed.status, replayed.location.as_deref()), (400, None));
    assert_eq!(site.trace(&replayed).await.code.as_deref(), Some("saml_replayed"));
    assert_eq!(site.trace(&again).await.code.as_deref(), Some("login_already_completed"));
    site.running.stop().await;
}

#[actix_web::test]
async fn another_connections_path_does_not_take_the_answer() {
    let idp = Idp::new();
    let other = Connection {
        id: "con_other".to_owned(),
        name: name("other-saml"),
        domains: Vec::new(),
        ..idp.connection()
    };
    let site = Site::with(&[idp.connection(), other]).await;
    let (transaction, ..) = site.sent(for_acme()).await;
    let says = Says::good(site.running.issuer(), &transaction);
    let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*transaction)];

    let crossed = site.post("/saml/other-saml/acs", &form, &[]).await;
    let unknown = site.post("/saml/nobody/acs", &form, &[]).await;

    assert_eq!(site.trace(&crossed).await.code.as_deref(), Some("login_other_connection"));
    assert_eq!(site.trace(&unknown).await.code.as_deref(), Some("connection_unknown"));
    assert_eq!((crossed.status, unknown.status), (400, 400));
    assert_eq!(site.post(ACS, &form, &[]).await.status, 303, "the login was untouched");
    site.running.stop().await;
}

#[actix_web::test]
async fn an_idp_error_reaches_no_client_and_a_denial_goes_through_continue() {
    let idp = Idp::new();
    let site = site(&idp).await;
    let (transaction, cookie, _) = site.sent(for_acme()).await;
    let says = Says::good(site.running.issuer(), &transaction);

    let form = [("SAMLResponse", &*says.error("NoAuthnContext")), ("RelayState", &*transaction)];
    let broken = site.post(ACS, &form, &[]).await;
    assert_eq!((broken.status, broken.location.as_deref()), (400, None));
    assert_eq!(site.trace(&broken).await.code.as_deref(), Some("saml_idp_error"));

    let form = [("SAMLResponse", &*says.error("RequestDenied")), ("RelayState", &*transaction)];
    let denied = site.post(ACS, &form, &[]).await;
    assert_eq!(denied.status, 303, "{}", denied.body);
    let told = finish(site.app(), &cookie.browser(), &transaction).await.unwrap_err();
    assert_eq!(page(told), (0, "access_denied"));
    site.running.stop().await;
}

#[actix_web::test]
async fn unsolicited_responses_are_refused_or_restart_at_the_one_client() {
    let idp = Idp::new();
    let site = site(&idp).await;
    site.at_minute(10);
    let good = Says { minute: 10, ..Says::good(site.running.issuer(), "x") };
    let ask = async |id: &str| {
        let says = Says { id: id.to_owned(), in_response_to: None, ..good.clone() };
        site.post(ACS, &[("SAMLResponse", &*idp.response(&says))], &[]).await
    };
    let switch_on = |connection: &mut Connection| {
        if let ConnectionOptions::Saml(options) = &mut connection.options {
            options.idp_initiated.enabled = true;
        }
        connection.updated_at += chrono::TimeDelta::seconds(1);
    };

    let off = ask("_u1").await;
    assert_eq!(site.trace(&off).await.code.as_deref(), Some("saml_unsolicited"));
    site.change("acme-saml", switch_on).await;
    let nowhere = ask("_u1").await;
    assert_eq!(site.trace(&nowhere).await.code.as_deref(), Some("saml_unsolicited_no_app"));
    let replayed = ask("_u1").await;
    assert_eq!(site.trace(&replayed).await.code.as_deref(), Some("saml_replayed"));
    assert_eq!((off.status, nowhere.status, replayed.status), (400, 400, 400));

    site.change("acme-saml", |c| c.clients = vec!["app".to_owned()]).await;
    site.change_app(|c| c.initiate_login_uri = Some("https://app.example/login?a=b".to_owned()))
        .await;
    let restarted = ask("_u2").await;
    let to = restarted.location.unwrap();
    assert!(to.starts_with("https://app.example/login?a=b&iss=http%3A%2F%2Flocalhost"), "{to}");
    assert!(to.ends_with("&connection=acme-saml"), "{to}");
    site.running.stop().await;
}

#[actix_web::test]
async fn a_login_that_took_too_long_has_expired() {
    let idp = Idp::new();
    let site = site(&idp).await;
    let (transaction, ..) = site.sent(for_acme()).await;
    site.at_minute(10);

    let says = Says { minute: 10, ..Says::good(site.running.issuer(), &transaction) };
    let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*transaction)];
    let late = site.post(ACS, &form, &[]).await;

    assert_eq!(site.trace(&late).await.code.as_deref(), Some("login_expired"));
    site.running.stop().await;
}

#[actix_web::test]
async fn what_is_barred_meanwhile_is_barred_at_the_end() {
    let idp = Idp::new();
    let site = site(&idp).await;
    let arrive = async || -> (String, Cookie) {
        let (transaction, cookie, _) = site.sent(for_acme()).await;
        let says = Says::good(site.running.issuer(), &transaction);
        let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*transaction)];
        assert_eq!(site.post(ACS, &form, &[]).await.status, 303);
        (transaction, cookie)
    };
    let end = async |(transaction, cookie): &(String, Cookie)| {
        finish(site.app(), &cookie.browser(), transaction).await.map(|_| ()).map_err(page)
    };

    let (first, second) = (arrive().await, arrive().await);
    site.change("acme-saml", |c| c.enabled = false).await;
    assert_eq!(end(&first).await, Err((403, "connection_disabled")));
    site.change("acme-saml", |c| c.enabled = true).await;
    site.change_acme(|o| o.enabled = false).await;
    assert_eq!(end(&second).await, Err((403, "organization_disabled")));
    site.change_acme(|o| o.enabled = true).await;
    assert_eq!(end(&arrive().await).await, Ok(()));
    site.running.stop().await;
}

#[actix_web::test]
async fn neither_code_nor_error_goes_where_the_client_gave_up_its_redirect_uri() {
    let idp = Idp::new();
    let site = site(&idp).await;
    let mut arrived = Vec::new();
    for denied in [false, true] {
        let (transaction, cookie, _) = site.sent(for_acme()).await;
        let says = Says::good(site.running.issuer(), &transaction);
        let answer = if denied { says.error("RequestDenied") } else { idp.response(&says) };
        let form = [("SAMLResponse", &*answer), ("RelayState", &*transaction)];
        assert_eq!(site.post(ACS, &form, &[]).await.status, 303);
        arrived.push((transaction, site.cookie(&cookie)));
    }

    site.change_app(|c| c.redirect_uris = vec!["https://app.example/other".to_owned()]).await;

    for (transaction, cookie) in &arrived {
        let path = format!("/login/continue?transaction={transaction}");
        let seen = site.get(&path, &[("cookie", cookie)]).await;
        assert_eq!((seen.status, &seen.location), (403, &None), "{}", seen.body);
        assert_eq!(site.trace(&seen).await.code.as_deref(), Some("redirect_uri_removed"));
    }
    site.running.stop().await;
}

#[actix_web::test]
async fn a_foreign_e_mail_domain_and_a_blocked_user_are_barred() {
    let idp = Idp::new();
    let site = site(&idp).await;
    let end = async |mail: &str| {
        let (transaction, cookie, _) = site.sent(for_acme()).await;
        let mail = mail.to_owned();
        let says = Says { mail, ..Says::good(site.running.issuer(), &transaction) };
        let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*transaction)];
        assert_eq!(site.post(ACS, &form, &[]).await.status, 303);
        finish(site.app(), &cookie.browser(), &transaction).await.map_err(page)
    };

    assert_eq!(end("alice@globex.example").await.unwrap_err(), (403, "email_domain_foreign"));
    let login = end("alice@acme.example").await.unwrap();
    let mut user = (*login.user).clone();
    user.blocked = true;
    site.app().catalog.update(&user, None).await.unwrap();
    assert_eq!(end("alice@acme.example").await.unwrap_err(), (403, "user_blocked"));
    site.running.stop().await;
}

#[actix_web::test]
async fn a_response_is_taken_by_post_only() {
    let idp = Idp::new();
    let site = site(&idp).await;

    assert_eq!(site.get(ACS, &[]).await.status, 405);
    let empty = site.post(ACS, &[], &[]).await;
    assert_eq!(site.trace(&empty).await.code.as_deref(), Some("saml_response_missing"));
    let stranger = finish(site.app(), &Browser::default(), "nothing").await.unwrap_err();
    assert_eq!(page(stranger), (400, "login_expired"));
    site.running.stop().await;
}

#[actix_web::test]
async fn metadata_is_there_for_saml_connections() {
    let idp = Idp::new();
    let site = site(&idp).await;

    let seen = site.get("/saml/acme-saml/metadata", &[]).await;

    assert_eq!(seen.status, 200);
    assert!(seen.body.contains("/saml/acme-saml/acs"), "{}", seen.body);
    assert!(!seen.body.contains("encryption"), "{}", seen.body);
    assert_eq!(site.get("/saml/con_acme-saml/metadata", &[]).await.status, 404);
    assert_eq!(site.get("/saml/nobody/metadata", &[]).await.status, 404);
    site.running.stop().await;
}

#[actix_web::test]
async fn on_a_shared_connection_the_organization_is_earned_not_asked_for() {
    let idp = Idp::new();
    let shared = Connection { organization: None, domains: Vec::new(), ..idp.connection() };
    let site = Site::with(&[shared]).await;
    let end = async |organization: Option<&str>| {
        let organization = organization.map(str::to_owned);
        let (transaction, cookie, _) =
            site.sent(AuthorizationRequest { organization, ..for_acme() }).await;
        let says = Says::good(site.running.issuer(), &transaction);
        let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*transaction)];
        assert_eq!(site.post(ACS, &form, &[]).await.status, 303);
        finish(site.app(), &cookie.browser(), &transaction).await.map_err(page)
    };

    let barred = end(Some("acme")).await.unwrap_err();
    assert_eq!(barred, (403, "organization_not_a_member"));
    let login = end(None).await.unwrap();
    assert_eq!(
        login.claims.email_verified,
        Some(false),
        "a shared connection verifies nobody's domain"
    );
    assert!(login.organization.is_none());

    let mut user = (*login.user).clone();
    user.organizations = vec![name("acme")];
    site.app().catalog.update(&user, None).await.unwrap();
    let member = end(Some("acme")).await.unwrap();
    assert_eq!(member.organization.unwrap().name.as_str(), "acme");
    assert_eq!(member.user.id, login.user.id);
    site.running.stop().await;
}

#[actix_web::test]
async fn a_change_of_a_connection_counts_at_once_also_within_the_same_millisecond() {
    let (before, after) = (Idp::new(), Idp::new());
    let site = site(&before).await;
    let ask = async |idp: &Idp| {
        let (transaction, ..) = site.sent(for_acme()).await;
        let says = Says::good(site.running.issuer(), &transaction);
        let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*transaction)];
        site.post(ACS, &form, &[]).await.status
    };
    assert_eq!((ask(&before).await, ask(&after).await), (303, 400));

    // the clock stands still, so `updated_at` stays as it was
    site.change("acme-saml", |connection| connection.options = after.connection().options).await;

    assert_eq!((ask(&before).await, ask(&after).await), (400, 303));
    site.running.stop().await;
}
