use super::harness::{Cookie, Site};
use super::idp::Idp;
use crate::catalog::{Client, ClientKind, Connection};
use crate::login::fixtures::{client, name, request, way_to};
use crate::login::transaction::Browser;
use crate::login::{AuthorizationRequest, LoginError, Prompt, start};

pub(super) fn hidden(body: &str, field: &str) -> String {
    let (_, rest) = body.split_once(&format!("name=\"{field}\" value=\"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

struct Open {
    cookie: String,
    transaction: String,
    token: String,
    body: String,
}

async fn open(site: &Site) -> Open {
    let (transaction, cookie) = site.asked().await;
    let cookie = site.cookie(&cookie);
    let seen = site.get(&format!("/login?transaction={transaction}"), &[("cookie", &cookie)]).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    let token = hidden(&seen.body, "token");
    Open { cookie, transaction, token, body: seen.body }
}

#[actix_web::test]
async fn the_identifier_leads_to_the_idp_of_its_domain() {
    let site = Site::with(&[Idp::new().connection()]).await;
    let page = open(&site).await;
    assert!(page.body.contains(r#"autocomplete="username""#));
    let form =
        |email| [("transaction", &*page.transaction), ("token", &*page.token), ("email", email)];

    let unknown =
        site.post("/login", &form("bob@nowhere.example"), &[("cookie", &page.cookie)]).await;
    assert_eq!(unknown.status, 200);
    assert!(unknown.body.contains("value=\"bob@nowhere.example\""), "{}", unknown.body);
    assert!(unknown.body.contains("We do not know a company sign-in"), "{}", unknown.body);
    let garbage = site.post("/login", &form("a@b@c"), &[("cookie", &page.cookie)]).await;
    assert_eq!(garbage.status, 200);

    let sent = site.post("/login", &form(" Bob@ACME.example "), &[("cookie", &page.cookie)]).await;
    assert_eq!(sent.status, 303);
    assert!(sent.location.unwrap().starts_with("https://idp.example/sso?"));
    let back = site.post("/login", &form("bob@acme.example"), &[("cookie", &page.cookie)]).await;
    let relay_state = format!("RelayState={}-2", page.transaction);
    assert!(back.location.unwrap().contains(&relay_state), "each trip has its own id");
    site.running.stop().await;
}

/// The cookie is a hint: it offers, and only what this client may use.
#[actix_web::test]
async fn what_the_browser_used_last_is_offered_beside_the_question() {
    let idp = Idp::new();
    let foreign = Connection {
        id: "con_foreign".to_owned(),
        name: name("foreign"),
        clients: vec!["other".to_owned()],
        domains: Vec::new(),
        ..idp.connection()
    };
    let site = Site::with(&[idp.connection(), foreign]).await;
    let opened = async |remembered: &str, request: AuthorizationRequest| {
        let browser = Browser::default().with_remembered(Some(remembered.to_owned()));
        let started = start(site.app(), &browser, request).await.unwrap();
        let cookie = site.cookie(&Cookie(started.browser_secret));
        let path = format!("/login?transaction={}", started.transaction);
        (site.get(&path, &[("cookie", &cookie)]).await, started.transaction, cookie)
    };
    let button = |called: &str| format!("name=\"connection\" value=\"{called}\"");

    let (page, transaction, cookie) = opened("acme-saml", request()).await;
    assert!(page.body.contains(&button("acme-saml")), "{}", page.body);
    assert!(page.body.contains("name=\"email\""), "another account is as near");
    let token = hidden(&page.body, "token");
    let form =
        |called| [("transaction", &*transaction), ("token", &*token), ("connection", called)];
    let other = site.post("/login", &form("foreign"), &[("cookie", &cookie)]).await;
    assert_eq!(other.status, 400, "only what was offered");
    let sent = site.post("/login", &form("acme-saml"), &[("cookie", &cookie)]).await;
    assert!(sent.location.unwrap().starts_with("https://idp.example/sso?"));

    for forged in ["foreign", "nobody", "con_acme-saml", "\"><script>", &"x".repeat(5000)] {
        let (page, ..) = opened(forged, request()).await;
        assert!(!page.body.contains("name=\"connection\""), "{forged}");
    }
    let select = AuthorizationRequest { prompt: vec![Prompt::SelectAccount], ..request() };
    let sign_up = AuthorizationRequest { screen_hint: Some("signup".to_owned()), ..request() };
    for anew in [select, sign_up] {
        assert!(!opened("acme-saml", anew).await.0.body.contains("name=\"connection\""));
    }
    site.running.stop().await;
}

#[actix_web::test]
async fn a_form_that_is_not_ours_is_refused() {
    let site = Site::with(&[Idp::new().connection()]).await;
    let page = open(&site).await;
    let ask = async |token: &str, headers: &[(&str, &str)]| {
        let email = ("email", "bob@acme.example");
        let form = [("transaction", &*page.transaction), ("token", token), email];
        let seen = site.post("/login", &form, headers).await;
        (seen.status, site.trace(&seen).await.code.unwrap())
    };
    let (own, not_ours) = (("cookie", &*page.cookie), "login_form_not_ours".to_owned());

    assert_eq!(ask("", &[own]).await, (400, not_ours.clone()));
    assert_eq!(
        ask(&page.token, &[own, ("origin", "https://evil.example")]).await,
        (400, not_ours.clone())
    );
    assert_eq!(
        ask(&page.token, &[own, ("sec-fetch-site", "cross-site")]).await,
        (400, not_ours.clone())
    );
    assert_eq!(ask(&page.token, &[]).await, (400, "login_cookie_missing".to_owned()));
    let stranger = site.cookie(&Cookie("B".repeat(43)));
    assert_eq!(ask(&page.token, &[("cookie", &stranger)]).await, (400, not_ours));
    site.running.stop().await;
}

#[actix_web::test]
async fn two_connections_for_a_domain_are_a_choice() {
    let idp = Idp::new();
    let second = Connection {
        id: "con_second".to_owned(),
        name: name("second-saml"),
        display_name: "Second <b>".to_owned(),
        ..idp.connection()
    };
    let site = Site::with(&[idp.connection(), second]).await;
    let page = open(&site).await;
    let base = [("transaction", &*page.transaction), ("token", &*page.token)];
    let with = |more| [base[0], base[1], more];
    let cookie = [("cookie", &*page.cookie)];

    let choice = site.post("/login", &with(("email", "bob@acme.example")), &cookie).await;
    assert_eq!(choice.status, 200);
    assert!(choice.body.contains(r#"name="connection" value="second-saml""#), "{}", choice.body);
    assert!(!choice.body.contains("<b>"));
    let foreign = site.post("/login", &with(("connection", "nobody")), &cookie).await;
    assert_eq!(foreign.status, 400);
    let sent = site.post("/login", &with(("connection", "second-saml")), &cookie).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    site.running.stop().await;
}

#[actix_web::test]
async fn the_login_page_is_for_its_own_browser() {
    let site = Site::with(&[]).await;
    let (transaction, _) = site.asked().await;
    let path = format!("/login?transaction={transaction}");

    let missing = site.get(&path, &[]).await;
    let expired = site.get("/login?transaction=x", &[]).await;

    assert_eq!(site.trace(&missing).await.code.as_deref(), Some("login_cookie_missing"));
    assert!(missing.body.contains("https://app.example/"), "a way back to the app");
    assert_eq!(site.trace(&expired).await.code.as_deref(), Some("login_expired"));
    assert_eq!((missing.status, expired.status), (400, 400));
    site.running.stop().await;
}

#[actix_web::test]
async fn a_form_may_end_at_the_idp_and_at_the_client() {
    let site = Site::with(&[]).await;
    let answer = way_to("com.example.app:/cb");
    let asked = AuthorizationRequest { answer, ..request() };
    let started = start(site.app(), &Browser::default(), asked).await.unwrap();
    let cookie = site.cookie(&Cookie(started.browser_secret));

    let path = format!("/login?transaction={}", started.transaction);
    let seen = site.get(&path, &[("cookie", &cookie)]).await;

    assert!(
        seen.policy.contains("form-action 'self' https: http: com.example.app:;"),
        "{}",
        seen.policy
    );
    site.running.stop().await;
}

#[actix_web::test]
async fn requests_that_cannot_be_served_end_on_our_page_or_silently() {
    let site = Site::with(&[Idp::new().connection()]).await;
    let ask = async |change: fn(&mut AuthorizationRequest)| {
        let mut asked = request();
        change(&mut asked);
        match start(site.app(), &Browser::default(), asked).await.unwrap_err() {
            LoginError::Page(page) => (page.status, page.code),
            LoginError::ToClient(error) => (0, error.error),
        }
    };

    let unknown = ask(|r| r.connection = Some("nobody".to_owned())).await;
    assert_eq!(unknown, (400, "connection_unknown"));
    let organization = ask(|r| r.organization = Some("nobody".to_owned())).await;
    assert_eq!(organization, (400, "organization_unknown"));
    assert_eq!(ask(|r| r.prompt = vec![Prompt::None]).await, (0, "login_required"));
    assert_eq!(ask(|r| r.client_id = "nobody".to_owned()).await, (403, "client_disabled"));
    site.running.stop().await;
}

#[actix_web::test]
async fn home_realm_answers_as_json_for_the_clients_own_pages() {
    let site = Site::with(&[Idp::new().connection()]).await;
    let globex = crate::login::fixtures::organization("globex", &[]);
    site.app().catalog.insert(&globex).await.unwrap();
    let third = Client {
        client_id: "tpc".to_owned(),
        ..client(ClientKind::ThirdParty { organization: name("globex") })
    };
    site.app().catalog.insert(&third).await.unwrap();
    let ask = async |query: &str| {
        let seen =
            site.get(&format!("/home-realm?{query}"), &[("origin", "https://app.example")]).await;
        (seen.status, seen.body, seen.allowed_origin)
    };
    let own = || Some("https://app.example".to_owned());

    let (status, found, origin) = ask("email=bob%40acme.example&client_id=app").await;
    assert_eq!((status, origin), (200, own()));
    assert_eq!(
        found,
        r#"{"connection":{"name":"acme-saml","strategy":"saml","vendor":"generic","display_name":"acme-saml"},"choices":[]}"#
    );
    let unknown = r#"{"connection":null,"choices":[]}"#.to_owned();
    assert_eq!(ask("email=b%40x.example&client_id=app").await, (200, unknown.clone(), own()));
    assert_eq!(ask("email=b%40acme.example&client_id=tpc").await.1, unknown, "not for this client");
    let (status, body, _) = ask("email=nobody&client_id=app").await;
    assert!(status == 400 && body.contains(r#""field":"email""#), "{body}");
    let (status, body, origin) = ask("email=b%40acme.example&client_id=no").await;
    assert!(status == 400 && body.contains(r#""field":"client_id""#) && origin.is_none(), "{body}");
    let elsewhere = site
        .get(
            "/home-realm?email=b%40acme.example&client_id=app",
            &[("origin", "https://evil.example")],
        )
        .await;
    assert_eq!(elsewhere.allowed_origin, None);
    site.running.stop().await;
}

#[actix_web::test]
async fn the_assets_of_the_pages_are_served() {
    let site = Site::with(&[]).await;

    for path in ["/assets/style.css", "/assets/submit.js"] {
        assert_eq!(site.get(path, &[]).await.status, 200, "{path}");
    }
    site.running.stop().await;
}
