//! `/consents`: the apps that a user allowed.

use super::*;
use crate::oauth::answer::answer;
use crate::oauth::fixtures::{browser, request, texts};

/// The cookie of a browser that is signed in.
async fn session_cookie(broker: &Broker) -> String {
    let login = broker.completed(&request(&[])).await;
    let answered = answer(broker.app(), &browser("a"), login, broker.now()).await.unwrap();
    let port = broker.running.address.port();
    format!("hr_session_{port}={}", answered.cookie.unwrap().value())
}

#[actix_web::test]
async fn a_user_sees_what_apps_may_do_and_takes_it_back() {
    let broker = Broker::start().await;
    let cookie = session_cookie(&broker).await;
    let (catalog, user) = (&broker.app().catalog, broker.user().await.id.clone());
    let allowed = texts(&["openid", "email", &format!("{API} "), &format!("{API} read")]);
    catalog.remember_consent(&user, PORTAL, &allowed, broker.now()).await.unwrap();
    let show = || to(&broker, Method::GET, "/consents").header("cookie", cookie.clone());

    let page = reply(show()).await;

    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    for text in
        ["Name of tpc_portal", "Acme Ltd", "The API", "Read your data", "See your e-mail address"]
    {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let (_, rest) = page.body.split_once("name=\"token\" value=\"").unwrap();
    let token = rest.split('"').next().unwrap().to_owned();
    let send = |token: &str| {
        let fields = [("token", token), ("withdraw", PORTAL)];
        post(&broker, "/consents", &fields).header("cookie", cookie.clone())
    };
    let stands = async || catalog.consented(&user, PORTAL).await.unwrap().is_some();

    assert_eq!(reply(send("x")).await.status, 400);
    assert_eq!(reply(send(&token).header("origin", "https://evil.example")).await.status, 400);
    assert_eq!(reply(send(&token).header("sec-fetch-site", "cross-site")).await.status, 400);
    assert!(stands().await);
    for _ in 0..2 {
        let done = reply(send(&token)).await;
        assert_eq!(done.status, 303);
        assert_eq!(done.header("location"), format!("{}/consents", broker.issuer()));
        assert!(!stands().await);
    }
    assert!(!reply(show()).await.body.contains("Name of tpc_portal"));
}

#[actix_web::test]
async fn without_a_session_nothing_is_shown_or_taken_back() {
    let broker = Broker::start().await;
    let user = broker.user().await.id.clone();
    let catalog = &broker.app().catalog;
    catalog.remember_consent(&user, PORTAL, &texts(&["openid"]), broker.now()).await.unwrap();

    assert!(get(&broker, "/consents").await.body.contains("You are not signed in"));
    let sent = reply(post(&broker, "/consents", &[("withdraw", PORTAL)])).await;
    assert!(sent.body.contains("You are not signed in"), "{}", sent.body);
    assert!(catalog.consented(&user, PORTAL).await.unwrap().is_some());
}
