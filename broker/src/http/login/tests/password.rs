use std::cell::RefCell;
use std::collections::HashSet;

use homerealm_certs::SystemRandom;

use super::harness::{Seen, Site};
use super::idp::Idp;
use super::pages::hidden;
use super::whole::{parameter, path, start};
use crate::catalog::{AccountEmail, Connection, ConnectionOptions, PasswordAccount};
use crate::login::fixtures::{self, now};

const RIGHT: &str = "correct horse battery staple";
const ANN: &str = "ann@acme.example";

/// A site where Ann has an account, and the sign-in page in her browser.
struct Desk {
    site: Site,
    cookie: String,
    handle: String,
    token: String,
    seen: RefCell<HashSet<String>>,
}

pub(super) async fn account(site: &Site, email: &str, password: Option<&str>) -> PasswordAccount {
    let hash = match password {
        Some(text) => Some(site.app().passwords.hash(text, &SystemRandom).await.unwrap()),
        None => None,
    };
    let account = PasswordAccount {
        id: format!("pwa_{}", email.split('@').next().unwrap()),
        connection: fixtures::name("acme-password"),
        email: AccountEmail::try_from(email.to_owned()).unwrap(),
        name: Some("Ann Lee".to_owned()),
        set_at: hash.as_ref().map(|_| now()),
        password: hash,
        email_proven_at: None,
        enabled: true,
        created_at: now(),
        updated_at: now(),
    };
    site.app().catalog.insert(&account).await.unwrap();
    account
}

async fn change(site: &Site, change: impl FnOnce(&mut PasswordAccount)) {
    let found = site.app().catalog.get::<PasswordAccount>("pwa_ann").await.unwrap().unwrap();
    let mut account = (*found.object).clone();
    change(&mut account);
    site.app().catalog.update(&account, None).await.unwrap();
}

impl Desk {
    async fn with(connections: &[Connection]) -> Self {
        let site = Site::with(connections).await;
        account(&site, ANN, Some(RIGHT)).await;
        Self::at(site).await
    }

    async fn at(site: Site) -> Self {
        let (to, cookie) = start(&site, "connection=acme-password").await;
        assert_eq!(to.path(), "/login/password");
        let seen = site.get(&path(Some(to.as_str())), &[("cookie", &cookie)]).await;
        assert_eq!(seen.status, 200, "{}", seen.body);
        let (handle, token) = (hidden(&seen.body, "transaction"), hidden(&seen.body, "token"));
        Self { site, cookie, handle, token, seen: RefCell::default() }
    }

    async fn send(&self, email: &str, password: &str) -> Seen {
        let form = [
            ("transaction", &*self.handle),
            ("token", &*self.token),
            ("email", email),
            ("password", password),
        ];
        self.site.post("/login/password", &form, &[("cookie", &self.cookie)]).await
    }

    /// The code of the only trace since the last time; the clock stands still, so their order says nothing.
    async fn traced(&self) -> String {
        let traces = self.site.app().catalog.list_traces(200, None).await.unwrap().items;
        let mut seen = self.seen.borrow_mut();
        let new: Vec<_> = traces.iter().filter(|trace| seen.insert(trace.id.clone())).collect();
        let codes: Vec<_> = new.iter().filter_map(|trace| trace.code.clone()).collect();
        codes.join(" ")
    }
}

#[actix_web::test]
async fn the_right_password_completes_the_login() {
    let desk = Desk::with(&[fixtures::password()]).await;

    let sent = desk.send(" Ann@ACME.example ", RIGHT).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let onwards = path(sent.location.as_deref());
    let done = desk.site.get(&onwards, &[("cookie", &desk.cookie)]).await;

    let back = url::Url::parse(&done.location.unwrap()).unwrap();
    assert!(back.as_str().starts_with("https://app.example/cb?"), "{back}");
    assert_eq!(parameter(&back, "state"), "st");
    let identity = crate::catalog::Identity {
        connection: fixtures::name("acme-password"),
        issuer: desk.site.running.issuer().as_str().to_owned(),
        subject: "pwa_ann".to_owned(),
    };
    let user = desk.site.app().catalog.user_by_identity(&identity).await.unwrap().unwrap();
    assert_eq!(user.claims.email.as_deref(), Some(ANN));
    assert_eq!(user.claims.email_verified, Some(false), "nobody has proven the address");
    assert_eq!(user.claims.name.as_deref(), Some("Ann Lee"));
    let again = desk.send(ANN, RIGHT).await;
    assert_eq!(again.status, 400, "the login had its answer");
    desk.site.running.stop().await;
}

#[actix_web::test]
async fn an_address_that_we_have_proven_is_verified() {
    let desk = Desk::with(&[fixtures::password()]).await;
    change(&desk.site, |account| account.email_proven_at = Some(now())).await;

    let sent = desk.send(ANN, RIGHT).await;
    let done = desk.site.get(&path(sent.location.as_deref()), &[("cookie", &desk.cookie)]).await;

    assert_eq!(done.status, 303, "{}", done.body);
    let users = desk.site.app().catalog.list::<crate::catalog::User>(10, None).await.unwrap();
    assert_eq!(users.items[0].claims.email_verified, Some(true));
    desk.site.running.stop().await;
}

#[actix_web::test]
async fn a_wrong_password_an_unknown_address_and_a_disabled_account_look_the_same() {
    let desk = Desk::with(&[fixtures::password()]).await;
    let shown = |seen: &Seen| seen.body.replace(ANN, "").replace("bob@acme.example", "");

    let wrong = desk.send(ANN, "incorrect horse battery").await;
    assert_eq!((wrong.status, desk.traced().await.as_str()), (400, "password_wrong"));
    assert!(wrong.body.contains("do not belong together"), "{}", wrong.body);
    assert!(!wrong.body.contains("incorrect horse"), "no password comes back");
    let unknown = desk.send("bob@acme.example", RIGHT).await;
    assert_eq!((unknown.status, desk.traced().await.as_str()), (400, "password_account_unknown"));
    change(&desk.site, |account| account.enabled = false).await;
    let disabled = desk.send(ANN, RIGHT).await;
    assert_eq!((disabled.status, desk.traced().await.as_str()), (400, "password_account_disabled"));
    let foreign = desk.send("bob@acme.example", RIGHT).await;

    assert_eq!(shown(&wrong), shown(&unknown));
    assert_eq!(shown(&wrong), shown(&disabled));
    assert_eq!(shown(&wrong), shown(&foreign));
    desk.site.running.stop().await;
}

#[actix_web::test]
async fn an_account_without_a_password_lets_nobody_in() {
    let site = Site::with(&[fixtures::password()]).await;
    account(&site, ANN, None).await;
    let desk = Desk::at(site).await;

    for guess in ["", RIGHT] {
        let seen = desk.send(ANN, guess).await;
        assert_eq!((seen.status, desk.traced().await.as_str()), (400, "password_wrong"));
    }
    desk.site.running.stop().await;
}

#[actix_web::test]
async fn guesses_at_one_account_are_slowed_and_the_right_password_too() {
    let desk = Desk::with(&[fixtures::password()]).await;
    for _ in 0..6 {
        assert_eq!(desk.send(ANN, "incorrect horse battery").await.status, 400);
        assert_eq!(desk.traced().await, "password_wrong");
    }

    let early = desk.send(ANN, RIGHT).await;
    assert_eq!((early.status, desk.traced().await.as_str()), (429, "password_too_early"));
    assert!(early.body.contains("Try again</a> in a second."), "{}", early.body);
    desk.site.at_minute(1);

    assert_eq!(desk.send(ANN, RIGHT).await.status, 303);
    desk.site.running.stop().await;
}

#[actix_web::test]
async fn a_domain_with_company_sign_in_takes_no_passwords() {
    let idp = Idp::new();
    let desk = Desk::with(&[idp.connection(), fixtures::password()]).await;
    let saml = idp.connection().name;

    let known = desk.send(ANN, RIGHT).await;
    assert_eq!((known.status, desk.traced().await.as_str()), (200, "password_domain_enterprise"));
    assert!(known.body.contains("on its company&#39;s own page"), "{}", known.body);
    desk.site.change(saml.as_str(), |connection| connection.clients = Vec::new()).await;
    let hidden_one = desk.send(ANN, RIGHT).await;
    assert_eq!(hidden_one.status, 400, "what this client may not use is not told");
    assert_eq!(desk.traced().await, "password_domain_enterprise");
    desk.site.change(saml.as_str(), |connection| connection.enabled = false).await;
    assert_eq!(desk.send(ANN, RIGHT).await.status, 400, "nor does it help to switch it off");
    assert_eq!(desk.traced().await, "password_domain_enterprise");

    desk.site
        .change("acme-password", |connection| {
            let ConnectionOptions::Password(options) = &mut connection.options else { panic!() };
            options.break_glass =
                vec![AccountEmail::try_from("ANN@acme.example".to_owned()).unwrap()];
        })
        .await;
    assert_eq!(desk.send(ANN, RIGHT).await.status, 303, "this one breaks the glass");
    desk.site.running.stop().await;
}

#[actix_web::test]
async fn an_address_outside_the_connections_domains_is_not_accepted() {
    let desk = Desk::with(&[fixtures::password()]).await;

    let foreign = desk.send("ann@elsewhere.example", RIGHT).await;
    assert_eq!(foreign.status, 400);
    let garbage = desk.send("a@b@c", RIGHT).await;
    assert_eq!(garbage.status, 200);
    assert!(garbage.body.contains("Enter your e-mail address"), "{}", garbage.body);
    desk.site.running.stop().await;
}

#[actix_web::test]
async fn the_form_belongs_to_its_login_and_its_browser() {
    let desk = Desk::with(&[fixtures::password()]).await;
    let form = |token: &'static str| {
        [
            ("transaction", desk.handle.clone()),
            ("token", token.to_owned()),
            ("email", ANN.to_owned()),
            ("password", RIGHT.to_owned()),
        ]
    };
    let post = async |token: &str, headers: &[(&str, &str)]| {
        let form = form("").map(|(n, v)| (n, if n == "token" { token.to_owned() } else { v }));
        let form: Vec<_> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let seen = desk.site.post("/login/password", &form, headers).await;
        (seen.status, desk.site.trace(&seen).await.code.unwrap())
    };
    let own = ("cookie", &*desk.cookie);
    let not_ours = (400, "login_form_not_ours".to_owned());

    assert_eq!(post("", &[own]).await, not_ours);
    assert_eq!(post(&desk.token, &[own, ("origin", "https://evil.example")]).await, not_ours);
    assert_eq!(post(&desk.token, &[]).await, (400, "login_cookie_missing".to_owned()));
    desk.site.change("acme-password", |connection| connection.enabled = false).await;
    assert_eq!(post(&desk.token, &[own]).await, (403, "connection_disabled".to_owned()));
    desk.site.running.stop().await;
}

#[actix_web::test]
async fn going_back_and_choosing_again_leaves_the_old_page_behind() {
    let desk = Desk::with(&[fixtures::password()]).await;
    let transaction = desk.handle.clone();
    let page = format!("/login?transaction={transaction}");
    let seen = desk.site.get(&page, &[("cookie", &desk.cookie)]).await;
    let token = hidden(&seen.body, "token");

    let form = [("transaction", &*transaction), ("token", &*token), ("email", ANN)];
    let second = desk.site.post("/login", &form, &[("cookie", &desk.cookie)]).await;

    let to = second.location.unwrap();
    assert!(to.ends_with(&format!("/login/password?transaction={transaction}-2")), "{to}");
    let late = desk.send(ANN, RIGHT).await;
    assert_eq!(desk.site.trace(&late).await.code.as_deref(), Some("login_superseded"));
    let seen = desk.site.get(&path(Some(&to)), &[("cookie", &desk.cookie)]).await;
    assert!(seen.body.contains(r#"autocomplete="current-password""#), "{}", seen.body);
    assert!(seen.body.contains(r#"value="ann@acme.example""#), "{}", seen.body);
    desk.site.running.stop().await;
}
