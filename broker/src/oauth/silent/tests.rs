use super::*;
use crate::catalog::{Action, User};
use crate::login::begin;
use crate::login::session::SessionCookie;
use crate::oauth::answer::answer as answer_login;
use crate::oauth::authorize::validate;
use crate::oauth::fixtures::{Broker, LOOPBACK, PORTAL, SPA, WEB, browser, request};
use crate::oauth::params::Params;

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

/// A browser that signed in at [`WEB`].
async fn signed_in(broker: &Broker) -> (Browser, SessionCookie) {
    let login = broker.completed(&request(&[])).await;
    let answered = answer_login(broker.app(), &browser("a"), login, broker.now()).await.unwrap();
    let cookie = answered.cookie.unwrap();
    (browser("a").with_session(Some(cookie.clone())), cookie)
}

async fn asked(broker: &Broker, browser: &Browser, changes: Changes<'_>) -> Silent {
    let asked = validate(broker.app(), &request(changes)).await.unwrap();
    answer(broker.app(), browser, asked, broker.now()).await.unwrap()
}

/// What the client is told without a page.
async fn told(broker: &Broker, browser: &Browser, changes: Changes<'_>) -> Params {
    match asked(broker, browser, changes).await {
        Silent::Answer(answer) => read(answer).1,
        page @ (Silent::AskForAccount(_) | Silent::Login(_)) => panic!("a page: {page:?}"),
    }
}

fn read(answer: Answer) -> (String, Params) {
    let Answer::Redirect { url } = answer else { panic!("no redirect: {answer:?}") };
    let (target, query) = url.split_once('?').unwrap();
    (target.to_owned(), Params::parse(query).unwrap())
}

async fn clients(broker: &Broker, cookie: &SessionCookie) -> Vec<String> {
    let live = broker.app().sso_sessions().of_cookie(Some(cookie)).await.unwrap();
    live.unwrap().session.clients
}

const SILENT: (&str, Option<&str>) = ("prompt", Some("none"));

#[actix_web::test]
async fn the_next_client_gets_its_code_without_a_login_and_joins_the_session() {
    let broker = Broker::start().await;
    let (browser, cookie) = signed_in(&broker).await;

    let answer = told(&broker, &browser, &[("client_id", Some(SPA))]).await;

    assert_eq!(answer.get("code").unwrap().len(), 43);
    assert_eq!((answer.get("state"), answer.get("iss")), (Some("s1"), Some(broker.issuer())));
    assert_eq!(clients(&broker, &cookie).await, [WEB, SPA]);
    let traces = broker.app().catalog.list_traces(10, None).await.unwrap().items;
    assert_eq!(traces.len(), 2, "each sign-in leaves a trace");
    let silent = traces.iter().find(|trace| trace.client_id.as_deref() == Some(SPA)).unwrap();
    assert_eq!(silent.checks[0].code, "session");
}

#[actix_web::test]
async fn the_audit_log_has_the_first_code_of_an_app_in_a_session_and_no_other() {
    let broker = Broker::start().await;
    let (browser, _) = signed_in(&broker).await;

    for _ in 0..3 {
        told(&broker, &browser, &[("client_id", Some(SPA)), SILENT]).await;
    }

    let audit = broker.app().catalog.list_audit(&Default::default(), 50, None).await.unwrap();
    let of_spa = audit.items.iter().filter(|entry| {
        entry.action == Action::SignedIn
            && entry.after.as_ref().is_some_and(|after| after["client_id"] == SPA)
    });
    assert_eq!(of_spa.count(), 1);
}

#[actix_web::test]
async fn without_a_session_a_login_begins_or_the_client_is_told() {
    let broker = Broker::start().await;
    let (_, cookie) = signed_in(&broker).await;
    let guessed = SessionCookie { secret: "x".repeat(43), ..cookie };

    for stranger in [browser("b"), browser("b").with_session(Some(guessed))] {
        assert!(matches!(asked(&broker, &stranger, &[]).await, Silent::Login(_)));
        let answer = told(&broker, &stranger, &[SILENT]).await;
        assert_eq!(answer.get("error"), Some("login_required"));
    }
    assert_eq!(codes(&broker).await, ["login_required", "login_required"]);
}

/// What the traces of failures say.
async fn codes(broker: &Broker) -> Vec<String> {
    let traces = broker.app().catalog.list_traces(50, None).await.unwrap().items;
    traces.into_iter().filter_map(|trace| trace.code).collect()
}

#[actix_web::test]
async fn what_a_client_is_told_and_what_was_ignored_stands_in_the_trace() {
    let broker = Broker::start().await;
    let (browser, _) = signed_in(&broker).await;

    let third_party = [("client_id", Some(PORTAL)), SILENT, ("colour", Some("secret-red"))];
    let answer = told(&broker, &browser, &third_party).await;

    assert_eq!(answer.get("error"), Some("consent_required"));
    let traces = broker.app().catalog.list_traces(10, None).await.unwrap().items;
    let trace = traces.iter().find(|trace| trace.code.is_some()).unwrap();
    assert_eq!(trace.code.as_deref(), Some("consent_required"));
    assert_eq!(trace.client_id.as_deref(), Some(PORTAL));
    let ignored = &trace.checks[0];
    assert_eq!(
        (ignored.code.as_str(), ignored.received.as_deref()),
        ("parameters_ignored", Some("colour"))
    );
    assert!(!format!("{trace:?}").contains("secret-red"), "names only");
}

#[actix_web::test]
async fn a_session_that_does_not_fit_is_none() {
    let broker = Broker::start().await;
    let states = |connection: &mut Connection| {
        connection.acr_values.insert("urn:other".to_owned(), "other".to_owned());
    };
    broker.change::<Connection>("acme-oidc", states).await;
    let (browser, _) = signed_in(&broker).await;

    for unfit in [
        ("prompt", "login"),
        ("max_age", "0"),
        ("acr_values", "other"),
        ("login_hint", "bob@acme.example"),
        ("connection", "nothing"),
        ("organization", "nothing"),
    ] {
        let changes = [(unfit.0, Some(unfit.1))];
        assert!(matches!(asked(&broker, &browser, &changes).await, Silent::Login(_)), "{unfit:?}");
        if unfit.0 != "prompt" {
            let answer = told(&broker, &browser, &[SILENT, changes[0]]).await;
            assert_eq!(answer.get("error"), Some("login_required"), "{unfit:?}");
        }
    }
}

#[actix_web::test]
async fn a_blocked_user_is_not_let_in_silently() {
    let broker = Broker::start().await;
    let (browser, _) = signed_in(&broker).await;
    let id = broker.user().await.id.clone();
    broker.change::<User>(&id, |user| user.blocked = true).await;

    assert!(matches!(asked(&broker, &browser, &[]).await, Silent::Login(_)));
}

#[actix_web::test]
async fn the_clients_own_default_age_counts_where_it_names_none() {
    let broker = Broker::start().await;
    let (browser, _) = signed_in(&broker).await;
    broker.change::<crate::catalog::Client>(WEB, |c| c.session.default_max_age = Some(60)).await;

    broker.clock.advance(60);
    assert!(matches!(asked(&broker, &browser, &[]).await, Silent::Answer(_)));
    broker.clock.advance(1);
    assert!(matches!(asked(&broker, &browser, &[]).await, Silent::Login(_)));
    assert!(matches!(
        asked(&broker, &browser, &[("max_age", Some("61"))]).await,
        Silent::Answer(_)
    ));
}

#[actix_web::test]
async fn a_third_party_client_needs_consent_from_a_session_too() {
    let broker = Broker::start().await;
    let (browser, _) = signed_in(&broker).await;
    let of_portal = ("client_id", Some(PORTAL));

    let answer = told(&broker, &browser, &[of_portal, SILENT]).await;
    assert_eq!(answer.get("error"), Some("consent_required"));
    let Silent::Answer(answer) = asked(&broker, &browser, &[of_portal]).await else { panic!() };
    assert!(read(answer).0.ends_with("/consent"));
}

#[actix_web::test]
async fn a_program_on_the_users_machine_needs_a_click() {
    let broker = Broker::start().await;
    let (browser, _) = signed_in(&broker).await;
    let native = [("client_id", Some(SPA)), ("redirect_uri", Some(LOOPBACK))];

    let question = asked(&broker, &browser, &native).await;
    assert!(matches!(question, Silent::AskForAccount(_)));
    let answer = told(&broker, &browser, &[native[0], native[1], SILENT]).await;
    assert_eq!(answer.get("error"), Some("interaction_required"));
}

#[actix_web::test]
async fn who_is_asked_for_the_account_goes_on_with_it_once() {
    let broker = Broker::start().await;
    let (browser, cookie) = signed_in(&broker).await;
    let choice = [("prompt", Some("select_account"))];
    let Silent::AskForAccount(request) = asked(&broker, &browser, &choice).await else { panic!() };
    let begun = begin::ask_for_account(broker.app(), &browser, *request).await.unwrap();
    let page = begin::page(broker.app(), &browser, &begun.transaction).await.unwrap();
    assert_eq!(page.account.unwrap().name, "Ada");

    let stranger = crate::oauth::fixtures::browser("b").with_session(Some(cookie));
    let stolen = go_on(broker.app(), &stranger, &begun.transaction, broker.now()).await;
    assert!(matches!(stolen, Err(GoOnError::Login(_))));
    let answered = go_on(broker.app(), &browser, &begun.transaction, broker.now()).await;
    let (_, answer) = read(answered.unwrap().unwrap().answer);
    assert!(answer.get("code").is_some());
    let again = go_on(broker.app(), &browser, &begun.transaction, broker.now()).await;
    assert!(matches!(again, Err(GoOnError::Login(_))));
}

#[actix_web::test]
async fn who_is_signed_out_meanwhile_is_asked_who_it_is() {
    let broker = Broker::start().await;
    let (browser, cookie) = signed_in(&broker).await;
    let choice = [("prompt", Some("select_account"))];
    let Silent::AskForAccount(request) = asked(&broker, &browser, &choice).await else { panic!() };
    let begun = begin::ask_for_account(broker.app(), &browser, *request).await.unwrap();
    let sessions = broker.app().sso_sessions();
    let live = sessions.of_cookie(Some(&cookie)).await.unwrap().unwrap();
    sessions.end(&[live.session]).await.unwrap();

    let page = begin::page(broker.app(), &browser, &begun.transaction).await.unwrap();
    assert!(page.account.is_none());
    let answered = go_on(broker.app(), &browser, &begun.transaction, broker.now()).await;
    assert!(answered.unwrap().is_none());
}
