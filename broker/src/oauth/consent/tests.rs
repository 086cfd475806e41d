use super::*;
use crate::catalog::User;
use crate::oauth::answer::answer;
use crate::oauth::code::AuthorizationGrant;
use crate::oauth::fixtures::{Broker, LOOPBACK, PORTAL, SPA, WEB, access, browser, request, texts};
use crate::oauth::params::Params;

const PORTAL_ASKS: [(&str, Option<&str>); 2] =
    [("client_id", Some(PORTAL)), ("scope", Some("openid email read"))];

/// Where the answer to a login goes: its parameters.
async fn answered(broker: &Broker, params: &Params) -> (String, Params) {
    let login = broker.completed(params).await;
    read(answer(broker.app(), &browser("a"), login, broker.now()).await.unwrap().answer)
}

fn read(answer: Answer) -> (String, Params) {
    let Answer::Redirect { url } = answer else { panic!("no redirect: {answer:?}") };
    let (target, query) = url.split_once('?').unwrap();
    (target.to_owned(), Params::parse(query).unwrap())
}

/// The handle of the question that a login of the portal leads to.
async fn handle(broker: &Broker) -> String {
    let (target, params) = answered(broker, &request(&PORTAL_ASKS)).await;
    assert_eq!(target, format!("{}/consent", broker.issuer()));
    params.get("consent").unwrap().to_owned()
}

async fn decided(
    broker: &Broker,
    browser: &Browser,
    form: (&str, &str),
    decision: Decision,
) -> Result<Params, ConsentError> {
    let answer = decide(broker.app(), browser, form, decision, broker.now()).await?;
    Ok(read(answer).1)
}

#[actix_web::test]
async fn a_first_party_client_gets_its_code_at_once() {
    let broker = Broker::start().await;

    let (target, params) = answered(&broker, &request(&[])).await;

    assert_eq!(target, "https://app.example/cb");
    assert_eq!((params.get("state"), params.get("iss")), (Some("s1"), Some(broker.issuer())));
    let code = params.get("code").unwrap();
    assert_eq!(code.len(), 43);
    let found = broker.app().records.get::<AuthorizationGrant>(code, broker.now()).await.unwrap();
    let grant = found.unwrap().record;
    let gives = grant.gives.unwrap();
    assert_eq!((grant.client_id.as_str(), gives.access), (WEB, access(&["openid", "read"])));
    let login = gives.login;
    assert!(login.session.as_ref().is_some_and(|sid| sid.starts_with("ses_")));
    assert_eq!(Login { session: None, ..login }, broker.login().await);
    assert!(grant.family.starts_with("fam_"));
}

/// OIDC Core §3.1.2.1: who asks for the question gets it, also of an app of our own.
#[actix_web::test]
async fn prompt_consent_asks_for_a_first_party_client_too() {
    let broker = Broker::start().await;

    let params = answered(&broker, &request(&[("prompt", Some("consent"))])).await.1;

    let handle = params.get("consent").unwrap();
    let question = question(broker.app(), &browser("a"), handle, broker.now()).await.unwrap();
    assert!(question.is_ours && question.organization.is_empty());
    let token = browser("a").form_token(handle).unwrap();
    let yes = decided(&broker, &browser("a"), (handle, &token), Decision::Allow).await.unwrap();
    assert!(yes.has("code"));
    let user = broker.user().await.id.clone();
    assert_eq!(broker.app().catalog.consented(&user, WEB).await.unwrap(), None);
}

/// RFC 8252 §8.6: a request that no session fits leads to the IdP, which may answer without asking anybody.
#[actix_web::test]
async fn what_could_be_another_program_is_asked_for_where_the_browser_had_a_session() {
    let broker = Broker::start().await;
    let native = request(&[
        ("client_id", Some(SPA)),
        ("redirect_uri", Some(LOOPBACK)),
        ("acr_values", Some("x")),
    ]);
    let first = broker.completed(&native).await;
    let first = answer(broker.app(), &browser("a"), first, broker.now()).await.unwrap();
    assert!(read(first.answer).1.has("code"));
    let again = browser("a").with_session(first.cookie);

    let asked = async |params: &Params| {
        let login = broker.completed(params).await;
        read(answer(broker.app(), &again, login, broker.now()).await.unwrap().answer).1
    };
    assert!(asked(&native).await.has("consent"));
    let forced = request(&[
        ("client_id", Some(SPA)),
        ("redirect_uri", Some(LOOPBACK)),
        ("prompt", Some("login")),
    ]);
    assert!(asked(&forced).await.has("code"));
    assert!(asked(&request(&[("client_id", Some(SPA))])).await.has("code"));
}

/// A yes that comes after the sign-out allows nothing for later.
#[actix_web::test]
async fn a_yes_after_the_sign_out_is_not_remembered() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;
    let token = browser("a").form_token(&handle).unwrap();
    let user = broker.user().await.id.clone();
    let by = crate::oauth::logout::By::user(&user, None);
    crate::oauth::logout::ending::end_all_of(broker.app(), &user, &by, broker.now()).await.unwrap();

    let yes = decided(&broker, &browser("a"), (&handle, &token), Decision::Allow).await;

    assert!(matches!(yes, Err(ConsentError::Barred("session_ended"))), "{yes:?}");
    assert_eq!(broker.app().catalog.consented(&user, PORTAL).await.unwrap(), None);
}

#[actix_web::test]
async fn the_page_says_who_asks_for_what_in_plain_words() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;

    let question = question(broker.app(), &browser("a"), &handle, broker.now()).await.unwrap();

    assert_eq!(question.client_name, "Name of tpc_portal");
    assert_eq!(question.organization, "Acme Ltd");
    let api = AskedApi { name: "The API".to_owned(), permissions: texts(&["Read your data"]) };
    assert_eq!(question.apis, [api]);
    assert_eq!(
        question.permissions,
        ["Know who you are when you come back", "See your e-mail address"]
    );
}

#[actix_web::test]
async fn yes_brings_a_code_and_is_remembered_for_these_scopes() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;
    let token = browser("a").form_token(&handle).unwrap();

    let yes = decided(&broker, &browser("a"), (&handle, &token), Decision::Allow).await.unwrap();
    assert!(yes.has("code") && yes.get("state") == Some("s1"));

    let again = answered(&broker, &request(&PORTAL_ASKS)).await.1;
    assert!(again.has("code"));
    let more = [("client_id", Some(PORTAL)), ("scope", Some("openid email phone read"))];
    assert!(answered(&broker, &request(&more)).await.1.has("consent"));
    let anew = [PORTAL_ASKS[0], PORTAL_ASKS[1], ("prompt", Some("consent"))];
    assert!(answered(&broker, &request(&anew)).await.1.has("consent"));
}

#[actix_web::test]
async fn consent_for_one_api_is_none_for_another() {
    let broker = Broker::start().await;
    let mut request = broker.completed(&request(&PORTAL_ASKS)).await.request;
    let login = Login { organization: None, ..broker.login().await };
    let of = |r: &AuthorizationRequest| names(&login, &r.access);
    let here = of(&request);

    request.access.apis[0].audience = "https://other.example".to_owned();

    let there = of(&request);
    assert!(there.iter().any(|name| name == "https://other.example read"));
    assert!(!here.contains(&"https://other.example read".to_owned()));
}

/// A user may belong to several organizations; an app of one learns that they act for another only if they say so.
#[actix_web::test]
async fn consent_as_one_organizations_user_is_none_as_anothers() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;
    let token = browser("a").form_token(&handle).unwrap();
    decided(&broker, &browser("a"), (&handle, &token), Decision::Allow).await.unwrap();
    let request = broker.completed(&request(&PORTAL_ASKS)).await.request;
    let acme = broker.login().await;
    let mut globex = acme.clone();
    globex.organization.as_mut().unwrap().name = "globex".to_owned().try_into().unwrap();
    let nobody = Login { organization: None, ..acme.clone() };

    assert_eq!(needed(broker.app(), &request, &acme, false).await.unwrap(), Need::No);
    for other in [globex, nobody] {
        assert_eq!(needed(broker.app(), &request, &other, false).await.unwrap(), Need::Yes);
    }
}

#[test]
fn what_was_allowed_is_read_by_organization() {
    let names = [
        "acme - openid",
        "acme https://api.example ",
        "acme https://api.example read",
        "email",
        "https://api.example write",
    ]
    .map(str::to_owned);

    let all = allowed(&names);

    let acme = &all[&Some("acme")];
    assert_eq!(
        (&*acme.scopes, &*acme.apis["https://api.example"]),
        (&["openid"][..], &["read"][..])
    );
    let nobody = &all[&None];
    assert_eq!(
        (&*nobody.scopes, &*nobody.apis["https://api.example"]),
        (&["email"][..], &["write"][..])
    );
}

#[actix_web::test]
async fn no_is_told_to_the_client_and_not_remembered() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;
    let token = browser("a").form_token(&handle).unwrap();

    let no = decided(&broker, &browser("a"), (&handle, &token), Decision::Deny).await.unwrap();

    assert_eq!((no.get("error"), no.get("state")), (Some("access_denied"), Some("s1")));
    assert!(!no.has("code"));
    assert!(answered(&broker, &request(&PORTAL_ASKS)).await.1.has("consent"));
}

#[actix_web::test]
async fn a_question_is_answered_once() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;
    let token = browser("a").form_token(&handle).unwrap();
    let decide = async || decided(&broker, &browser("a"), (&handle, &token), Decision::Allow).await;

    assert!(decide().await.is_ok());
    assert!(matches!(decide().await, Err(ConsentError::Expired)));
}

#[actix_web::test]
async fn another_browser_can_neither_see_nor_answer() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;
    let token = browser("a").form_token(&handle).unwrap();
    let other_token = browser("b").form_token(&handle).unwrap();

    for other in [browser("b"), Browser::default()] {
        let shown = question(broker.app(), &other, &handle, broker.now()).await;
        assert!(matches!(shown, Err(ConsentError::OtherBrowser)));
        for token in [&token, &other_token] {
            let decided = decided(&broker, &other, (&handle, token), Decision::Allow).await;
            assert!(matches!(decided, Err(ConsentError::OtherBrowser)));
        }
    }
    // the right cookie, a form that is not ours
    let forged = decided(&broker, &browser("a"), (&handle, &other_token), Decision::Allow).await;
    assert!(matches!(forged, Err(ConsentError::OtherBrowser)));
    // and nothing of it changed anything
    assert!(decided(&broker, &browser("a"), (&handle, &token), Decision::Allow).await.is_ok());
}

#[actix_web::test]
async fn a_question_waits_for_ten_minutes() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;
    let shown = async || question(broker.app(), &browser("a"), &handle, broker.now()).await;

    broker.clock.advance(599);
    assert!(shown().await.is_ok());
    broker.clock.advance(1);
    assert!(matches!(shown().await, Err(ConsentError::Expired)));
}

#[actix_web::test]
async fn without_a_page_there_is_no_consent() {
    let broker = Broker::start().await;
    let silent = [PORTAL_ASKS[0], PORTAL_ASKS[1], ("prompt", Some("none"))];

    let (target, params) = answered(&broker, &request(&silent)).await;

    assert_eq!(target, "https://app.example/cb");
    assert_eq!(params.get("error"), Some("consent_required"));
}

#[actix_web::test]
async fn what_was_disabled_meanwhile_bars() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;
    let token = browser("a").form_token(&handle).unwrap();
    let user = broker.user().await.id.clone();
    broker.change::<User>(&user, |user| user.blocked = true).await;

    let decided = decided(&broker, &browser("a"), (&handle, &token), Decision::Allow).await;

    assert!(matches!(decided, Err(ConsentError::Barred("user_blocked"))));
}

#[actix_web::test]
async fn neither_yes_nor_no_goes_where_the_client_gave_up_its_redirect_uri() {
    let broker = Broker::start().await;
    let handle = handle(&broker).await;
    let token = browser("a").form_token(&handle).unwrap();
    broker.change::<Client>(PORTAL, |portal| portal.redirect_uris.clear()).await;

    for decision in [Decision::Allow, Decision::Deny] {
        let decided = decided(&broker, &browser("a"), (&handle, &token), decision).await;
        assert!(matches!(decided, Err(ConsentError::Barred("redirect_uri_removed"))));
    }
    let shown = question(broker.app(), &browser("a"), &handle, broker.now()).await;
    assert!(matches!(shown, Err(ConsentError::Barred("redirect_uri_removed"))));
}
