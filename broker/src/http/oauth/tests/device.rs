//! `/device` and `/oauth/device/code` over real sockets.

use super::*;
use crate::catalog::{Client, GrantType};
use crate::oauth::fixtures::SPA;

async fn broker() -> Broker {
    let broker = Broker::start().await;
    broker.change::<Client>(SPA, |c| c.grant_types.push(GrantType::DeviceCode)).await;
    broker
}

async fn codes(broker: &Broker) -> Value {
    let fields = [("client_id", SPA), ("scope", "openid read"), ("audience", API)];
    let answer = reply(post(broker, "/oauth/device/code", &fields)).await;
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, "no-store"),
        "{}",
        answer.body
    );
    answer.json()
}

fn hidden(page: &Reply, name: &str) -> String {
    let (_, rest) = page.body.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[actix_web::test]
async fn the_code_leads_from_the_page_to_the_login() {
    let broker = broker().await;
    let codes = codes(&broker).await;
    let complete = codes["verification_uri_complete"].as_str().unwrap();

    let page = get(&broker, complete.strip_prefix(broker.issuer()).unwrap()).await;
    assert_eq!(page.status, 200);
    let user_code = codes["user_code"].as_str().unwrap();
    assert!(page.body.contains(&format!("value=\"{user_code}\"")), "{}", page.body);
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();

    let typed = user_code.to_lowercase();
    let fields = [("token", hidden(&page, "token")), ("user_code", typed)];
    let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let next = reply(post(&broker, "/device", &fields).header("cookie", &cookie)).await;

    assert_eq!(next.status, 303, "{}", next.body);
    let login = next.header("location").strip_prefix(broker.issuer()).unwrap().to_owned();
    assert!(login.starts_with("/login?transaction="), "{login}");
    let login = reply(to(&broker, Method::GET, &login).header("cookie", &cookie)).await;
    assert!(login.body.contains("Name of app_spa"), "{}", login.body);
    assert!(login.header("content-security-policy").contains("form-action 'self' https:;"));
}

#[actix_web::test]
async fn a_wrong_code_or_a_form_of_others_is_asked_again() {
    let broker = broker().await;
    let user_code = codes(&broker).await["user_code"].as_str().unwrap().to_owned();
    let page = get(&broker, "/device?user_code=%3Cscript%3E").await;
    assert!(!page.body.contains("<script>"));
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let token = hidden(&page, "token");
    let send = |token: &str, code: &str| {
        let fields = [("token", token), ("user_code", code)];
        post(&broker, "/device", &fields).header("cookie", &cookie)
    };

    for (request, words) in [
        (send(&token, "nonsense"), "Enter the eight letters"),
        (send(&token, "BBBB-BBBB"), "No device waits with this code"),
        (send("", &user_code), "Send the code again"),
        (send(&"0".repeat(64), &user_code), "Send the code again"),
        (send(&token, &user_code).header("sec-fetch-site", "cross-site"), "Send the code again"),
        (send(&token, &user_code).header("origin", "https://evil.example"), "Send the code again"),
    ] {
        let page = reply(request).await;
        assert_eq!((page.status, page.header("location")), (400, ""), "{words}");
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert_eq!(reply(send(&token, &user_code)).await.status, 303);
}

/// RFC 8628 §3.5.
#[actix_web::test]
async fn polling_is_answered_as_rfc_8628_says() {
    let broker = broker().await;
    let code = codes(&broker).await["device_code"].as_str().unwrap().to_owned();
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let fields = [("grant_type", grant), ("client_id", SPA), ("device_code", code.as_str())];

    for error in ["authorization_pending", "slow_down"] {
        let told = reply(post(&broker, "/oauth/token", &fields)).await;
        assert_eq!((told.status, &told.json()["error"]), (400, &json!(error)));
        assert_eq!(told.header("cache-control"), "no-store");
    }
    let unknown = reply(post(&broker, "/oauth/device/code", &[("client_id", "nobody")])).await;
    assert_eq!((unknown.status, &unknown.json()["error"]), (401, &json!("invalid_client")));
}
