//! Refreshing, revoking and introspecting over HTTP: statuses, headers, bodies.

use super::*;

/// Tokens of [`WEB`] with a refresh token.
async fn tokens(broker: &Broker) -> Value {
    let code = broker.code(&broker.offline_grant().await).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    reply(post(broker, "/oauth/token", &fields).basic_auth(WEB, Some(SECRET))).await.json()
}

fn web(broker: &Broker, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    post(broker, path, fields).basic_auth(WEB, Some(SECRET))
}

#[actix_web::test]
async fn a_refresh_is_answered_like_any_token_request() {
    let broker = Broker::start().await;
    let tokens = tokens(&broker).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];

    let refreshed = reply(web(&broker, "/oauth/token", &fields)).await;
    broker.clock.advance(10);
    let reused = reply(web(&broker, "/oauth/token", &fields)).await;

    assert_eq!((refreshed.status, refreshed.header("cache-control")), (200, "no-store"));
    assert!(refreshed.json()["refresh_token"].is_string(), "{}", refreshed.body);
    assert_eq!((reused.status, &reused.json()["error"]), (400, &json!("invalid_grant")));
    assert_eq!(reused.header("cache-control"), "no-store");
}

/// RFC 7009 §2.2, §2.2.1, §2.3.
#[actix_web::test]
async fn revocation_answers_with_its_status_and_pages_of_the_client_may_read_it() {
    let broker = Broker::start().await;
    let tokens = tokens(&broker).await;
    let token = ("token", tokens["refresh_token"].as_str().unwrap());

    let wrong = post(&broker, "/oauth/revoke", &[token]).basic_auth(WEB, Some("wrong"));
    let wrong = reply(wrong).await;
    assert_eq!((wrong.status, &wrong.json()["error"]), (401, &json!("invalid_client")));
    assert_eq!(wrong.header("www-authenticate"), "Basic realm=\"homerealm\"");
    let missing = reply(web(&broker, "/oauth/revoke", &[])).await;
    assert_eq!((missing.status, &missing.json()["error"]), (400, &json!("invalid_request")));
    let id_token = [("token", tokens["id_token"].as_str().unwrap())];
    let id_token = reply(web(&broker, "/oauth/revoke", &id_token)).await;
    let unsupported = json!("unsupported_token_type");
    assert_eq!((id_token.status, &id_token.json()["error"]), (400, &unsupported));
    for refused in [&wrong, &missing, &id_token] {
        assert_eq!(refused.header("cache-control"), "no-store");
    }
    assert_eq!(get(&broker, "/oauth/revoke").await.status, 405);
    let in_query = format!("/oauth/revoke?{}", form(&[token]));
    assert_eq!(reply(web(&broker, &in_query, &[])).await.status, 400);

    let named = [token, ("client_id", WEB)];
    let done = web(&broker, "/oauth/revoke", &named).header("origin", "https://app.example");
    let done = reply(done).await;
    assert_eq!((done.status, done.body.as_str()), (200, ""));
    assert_eq!(done.header("access-control-allow-origin"), "https://app.example");
    let again = web(&broker, "/oauth/revoke", &named).header("origin", "https://evil.example");
    let again = reply(again).await;
    assert_eq!((again.status, again.header("access-control-allow-origin")), (200, ""));
}

/// RFC 7662 §2.2, §2.3; RFC 9701 §4, §5.
#[actix_web::test]
async fn introspection_answers_in_the_form_that_is_asked_for() {
    let broker = Broker::start().await;
    let tokens = tokens(&broker).await;
    let token = [("token", tokens["access_token"].as_str().unwrap())];

    let plain = reply(web(&broker, "/oauth/introspect", &token)).await;
    assert_eq!((plain.status, plain.header("content-type")), (200, "application/json"));
    assert_eq!(plain.header("cache-control"), "no-store");
    assert_eq!(plain.json()["active"], true);
    let unknown = reply(web(&broker, "/oauth/introspect", &[("token", "x")])).await;
    assert_eq!((unknown.status, unknown.body.as_str()), (200, "{\"active\":false}"));

    let media_type = "application/token-introspection+jwt";
    let signed = web(&broker, "/oauth/introspect", &token).header("accept", media_type);
    let signed = reply(signed).await;
    assert_eq!((signed.status, signed.header("content-type")), (200, media_type));
    assert_eq!(signed.body.matches('.').count(), 2);

    let nobody = reply(post(&broker, "/oauth/introspect", &token)).await;
    assert_eq!((nobody.status, &nobody.json()["error"]), (401, &json!("invalid_client")));
    let missing = reply(web(&broker, "/oauth/introspect", &[])).await;
    assert_eq!((missing.status, &missing.json()["error"]), (400, &json!("invalid_request")));
    assert_eq!(get(&broker, "/oauth/introspect").await.status, 405);
}

/// RFC 6750 §3, §3.1: also for pages, which must learn that their token is spent.
#[actix_web::test]
async fn userinfo_refuses_so_that_pages_can_read_why() {
    let broker = Broker::start().await;
    let machine = [
        ("grant_type", "client_credentials"),
        ("client_id", MACHINE),
        ("client_secret", SECRET),
        ("audience", API),
    ];
    let machine = reply(post(&broker, "/oauth/token", &machine)).await.json();
    let without_openid = machine["access_token"].as_str().unwrap();

    for (token, status, error) in
        [("x", 401, "invalid_token"), (without_openid, 403, "insufficient_scope")]
    {
        let asked = to(&broker, Method::GET, "/userinfo").bearer_auth(token);
        let refused = reply(asked.header("origin", "https://app.example")).await;

        assert_eq!((refused.status, &refused.json()["error"]), (status, &json!(error)));
        let challenge = format!("Bearer realm=\"homerealm\", error=\"{error}\"");
        assert!(refused.header("www-authenticate").starts_with(&challenge));
        assert_eq!(refused.header("access-control-allow-origin"), "https://app.example");
        assert_eq!(refused.header("access-control-expose-headers"), "dpop-nonce, www-authenticate");
    }
}

#[actix_web::test]
async fn signed_userinfo_is_a_jwt() {
    let broker = Broker::start().await;
    let tokens = tokens(&broker).await;
    broker
        .change::<crate::catalog::Client>(WEB, |client| {
            let signed = &mut client.signed_answers;
            signed.userinfo_signed_response_alg = Some(homerealm_certs::JwsAlgorithm::Es256);
        })
        .await;

    let token = tokens["access_token"].as_str().unwrap();
    let info = reply(to(&broker, Method::GET, "/userinfo").bearer_auth(token)).await;

    assert_eq!((info.status, info.header("content-type")), (200, "application/jwt"));
    assert_eq!(info.header("cache-control"), "no-store");
}
