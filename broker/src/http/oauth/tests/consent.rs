//! The consent page.

use super::*;
use crate::oauth::fixtures::{browser, request};

#[actix_web::test]
async fn the_consent_form_brings_the_code_to_its_own_browser_only() {
    let broker = Broker::start().await;
    let asked = request(&[("client_id", Some(PORTAL)), ("scope", Some("openid read"))]);
    let login = broker.completed(&asked).await;
    let answer =
        crate::oauth::answer::answer(broker.app(), &browser("a"), login, broker.now()).await;
    let crate::oauth::answer::Answer::Redirect { url } = answer.unwrap().answer else {
        panic!("no redirect")
    };
    let path = url.strip_prefix(broker.issuer()).unwrap();
    let cookie =
        |mark: &str| format!("hr_login_{}={}", broker.running.address.port(), mark.repeat(43));

    let other = reply(to(&broker, Method::GET, path).header("cookie", cookie("b"))).await;
    assert_eq!(other.status, 400);
    let page = reply(to(&broker, Method::GET, path).header("cookie", cookie("a"))).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Read your data") && page.body.contains("Acme Ltd"));
    assert!(page.header("content-security-policy").contains("form-action 'self' https:"));

    let hidden = |name: &str| {
        let (_, rest) = page.body.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let (handle, token) = (hidden("consent"), hidden("token"));
    let fields = [("consent", handle.as_str()), ("token", &token), ("decision", "allow")];
    let send = || post(&broker, "/consent", &fields);
    assert_eq!(reply(send().header("cookie", cookie("b"))).await.status, 400);
    let foreign = send().header("cookie", cookie("a")).header("origin", "https://evil.example");
    assert_eq!(reply(foreign).await.status, 400);
    let cross = send().header("cookie", cookie("a")).header("sec-fetch-site", "cross-site");
    assert_eq!(reply(cross).await.status, 400);

    let answered = reply(send().header("cookie", cookie("a"))).await;
    assert_eq!(answered.status, 303);
    assert!(answered.header("location").starts_with("https://app.example/cb?code="));
    assert_eq!(reply(send().header("cookie", cookie("a"))).await.status, 400);
}

/// DESIGN §3.4: barred is 403, with its reference.
#[actix_web::test]
async fn a_consent_that_cannot_be_given_leaves_a_trace() {
    let broker = Broker::start().await;
    let asked = request(&[("client_id", Some(PORTAL)), ("scope", Some("openid read"))]);
    let login = broker.completed(&asked).await;
    let user = login.user.id.clone();
    let answer =
        crate::oauth::answer::answer(broker.app(), &browser("a"), login, broker.now()).await;
    let crate::oauth::answer::Answer::Redirect { url } = answer.unwrap().answer else {
        panic!("no redirect")
    };
    let path = url.strip_prefix(broker.issuer()).unwrap();
    let cookie = format!("hr_login_{}={}", broker.running.address.port(), "a".repeat(43));
    broker.change::<crate::catalog::User>(&user, |user| user.blocked = true).await;

    let barred = reply(to(&broker, Method::GET, path).header("cookie", &cookie)).await;
    let unknown = get(&broker, "/consent?consent=x").await;

    for (page, status, code) in [(barred, 403, "user_blocked"), (unknown, 400, "consent_expired")] {
        let (_, rest) = page.body.split_once("data-reference=\"").unwrap();
        let reference = rest.split('"').next().unwrap();
        let trace = broker.app().catalog.trace(reference).await.unwrap().unwrap();
        assert_eq!((page.status, trace.code.as_deref()), (status, Some(code)));
    }
}
