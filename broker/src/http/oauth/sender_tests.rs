//! DPoP and pushed requests over real sockets: statuses, bodies and headers of every outcome (RFC 9449, RFC 9126).

use serde_json::{Value, json};

use super::tests::{Reply, get, post, reply, to};
use crate::catalog::Client;
use crate::oauth::dpop::ath;
use crate::oauth::fixtures::signing::Holder;
use crate::oauth::fixtures::{Broker, CALLBACK, SECRET, SPA, VERIFIER, WEB, query};

const TOKEN: &str = "/oauth/token";
const USERINFO: &str = "/userinfo";

fn redemption(code: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

/// A code of the web client, redeemed with these `DPoP` headers.
async fn redeemed(broker: &Broker, code: &str, proofs: &[&str]) -> Reply {
    let mut request = post(broker, TOKEN, &redemption(code)).basic_auth(WEB, Some(SECRET));
    for proof in proofs {
        request = request.header("DPoP", *proof);
    }
    reply(request).await
}

async fn new_code(broker: &Broker) -> String {
    broker.code(&broker.grant().await).await
}

/// An access token of the web client that is bound to the holder's key.
async fn bound_token(broker: &Broker, holder: &Holder) -> String {
    let proof = holder.proof(broker, TOKEN, &json!({}));
    let tokens = redeemed(broker, &new_code(broker).await, &[&proof]).await.json();
    assert_eq!(tokens["token_type"], "DPoP", "{tokens}");
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn userinfo(broker: &Broker, scheme: &str, token: &str, proof: Option<&str>) -> Reply {
    let request = to(broker, reqwest::Method::GET, USERINFO)
        .header("authorization", format!("{scheme} {token}"));
    reply(match proof {
        Some(proof) => request.header("DPoP", proof),
        None => request,
    })
    .await
}

fn for_userinfo(holder: &Holder, broker: &Broker, token: &str) -> String {
    holder.proof(broker, USERINFO, &json!({"htm": "GET", "ath": ath(token)}))
}

fn confirmation(token: &str) -> Value {
    let token = homerealm_certs::UnverifiedJws::parse(token).unwrap();
    serde_json::from_slice::<Value>(token.unverified_payload()).unwrap()["cnf"].clone()
}

#[actix_web::test]
async fn a_proof_at_the_token_endpoint_binds_the_token() {
    let broker = Broker::start().await;
    let holder = Holder::new();

    let token = bound_token(&broker, &holder).await;

    assert_eq!(confirmation(&token), json!({"jkt": holder.thumbprint()}));
    let proof = for_userinfo(&holder, &broker, &token);
    let claims = userinfo(&broker, "DPoP", &token, Some(&proof)).await;
    assert_eq!((claims.status, &claims.json()["name"]), (200, &json!("Ada")));
    assert!(!claims.header("dpop-nonce").is_empty());
    let unbound = redeemed(&broker, &new_code(&broker).await, &[]).await.json();
    assert_eq!(unbound["token_type"], "Bearer");
    assert_eq!(confirmation(unbound["access_token"].as_str().unwrap()), Value::Null);
}

/// RFC 9449 §8: the refusal brings the nonce that the next proof needs, and leaves the code unspent.
#[actix_web::test]
async fn without_a_nonce_one_is_given_and_the_code_is_kept() {
    let broker = Broker::start().await;
    let holder = Holder::new();
    let code = new_code(&broker).await;

    let bare = holder.proof(&broker, TOKEN, &json!({"nonce": null}));
    let refused = redeemed(&broker, &code, &[&bare]).await;

    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("use_dpop_nonce")));
    assert_eq!(refused.header("cache-control"), "no-store");
    let nonce = refused.header("dpop-nonce");
    let proof = holder.proof(&broker, TOKEN, &json!({ "nonce": nonce }));
    assert_eq!(redeemed(&broker, &code, &[&proof]).await.status, 200);
}

#[actix_web::test]
async fn a_bad_proof_is_invalid_dpop_proof() {
    let broker = Broker::start().await;
    let holder = Holder::new();
    let code = new_code(&broker).await;
    let good = || holder.proof(&broker, TOKEN, &json!({}));
    let (one, other) = (good(), good());
    let elsewhere = holder.proof(&broker, USERINFO, &json!({}));

    for proofs in [vec!["x"], vec![""], vec![&one, &other], vec![elsewhere.as_str()]] {
        let refused = redeemed(&broker, &code, &proofs).await;
        assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_dpop_proof")));
    }
    assert_eq!(redeemed(&broker, &code, &[&one]).await.status, 200);
}

/// RFC 9449 §5.2.
#[actix_web::test]
async fn a_client_that_registered_for_it_never_gets_a_bearer_token() {
    let broker = Broker::start().await;
    broker.change::<Client>(WEB, |client| client.requests.dpop_bound_access_tokens = true).await;
    let code = new_code(&broker).await;

    let refused = redeemed(&broker, &code, &[]).await;

    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_dpop_proof")));
    let proof = Holder::new().proof(&broker, TOKEN, &json!({}));
    assert_eq!(redeemed(&broker, &code, &[&proof]).await.json()["token_type"], "DPoP");
}

/// RFC 9449 §10.
#[actix_web::test]
async fn a_code_that_was_asked_for_with_a_key_is_redeemed_with_that_key() {
    let broker = Broker::start().await;
    let (holder, thief) = (Holder::new(), Holder::new());
    let mut grant = broker.grant().await;
    grant.dpop_jkt = Some(holder.thumbprint().to_owned());
    let code = broker.code(&grant).await;

    for proofs in [vec![], vec![thief.proof(&broker, TOKEN, &json!({}))]] {
        let proofs: Vec<_> = proofs.iter().map(String::as_str).collect();
        let refused = redeemed(&broker, &code, &proofs).await;
        assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")));
    }
    let proof = holder.proof(&broker, TOKEN, &json!({}));
    assert_eq!(redeemed(&broker, &code, &[&proof]).await.status, 200);
}

/// RFC 9449 §7.1, §7.2.
#[actix_web::test]
async fn a_bound_token_is_good_with_its_key_only() {
    let broker = Broker::start().await;
    let (holder, thief) = (Holder::new(), Holder::new());
    let token = bound_token(&broker, &holder).await;
    let unbound = redeemed(&broker, &new_code(&broker).await, &[]).await.json();
    let unbound = unbound["access_token"].as_str().unwrap();
    let good = |holder: &Holder| for_userinfo(holder, &broker, &token);
    let changed = |changes: Value| holder.proof(&broker, USERINFO, &changes);
    let other_hash = changed(json!({"htm": "GET", "ath": ath(unbound)}));
    let bare = changed(json!({"htm": "GET", "ath": ath(&token), "nonce": null}));

    for (scheme, used, proof, error) in [
        ("Bearer", token.as_str(), None, "invalid_token"),
        ("Bearer", &token, Some(good(&holder)), "invalid_token"),
        ("DPoP", &token, None, "invalid_dpop_proof"),
        ("DPoP", &token, Some(good(&thief)), "invalid_token"),
        ("DPoP", &token, Some(changed(json!({"htm": "GET"}))), "invalid_dpop_proof"),
        ("DPoP", &token, Some(changed(json!({"ath": ath(&token)}))), "invalid_dpop_proof"),
        ("DPoP", &token, Some(other_hash), "invalid_dpop_proof"),
        ("DPoP", &token, Some(bare), "use_dpop_nonce"),
        ("DPoP", unbound, Some(for_userinfo(&holder, &broker, unbound)), "invalid_token"),
        ("DPoP", "x", Some(good(&holder)), "invalid_token"),
    ] {
        let refused = userinfo(&broker, scheme, used, proof.as_deref()).await;
        let challenge = refused.header("www-authenticate");
        assert_eq!((refused.status, &refused.json()["error"]), (401, &json!(error)), "{scheme}");
        assert!(challenge.starts_with(&format!("{scheme} realm=")), "{challenge}");
        assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}");
        assert_eq!(scheme == "DPoP", challenge.contains("algs=\"ES256 "), "{challenge}");
        assert_eq!(proof.is_some(), !refused.header("dpop-nonce").is_empty());
    }
    // a form has no place for a proof
    let posted = reply(post(&broker, USERINFO, &[("access_token", token.as_str())])).await;
    assert_eq!(posted.status, 401);
    let used = good(&holder);
    assert_eq!(userinfo(&broker, "dpop", &token, Some(&used)).await.status, 200);
    assert_eq!(
        userinfo(&broker, "DPoP", &token, Some(&used)).await.json()["error"],
        "invalid_dpop_proof"
    );
}

#[actix_web::test]
async fn without_a_token_both_schemes_are_offered() {
    let broker = Broker::start().await;
    let nothing = get(&broker, USERINFO).await;
    let challenges = nothing.headers("www-authenticate");
    assert_eq!(nothing.status, 401);
    assert!(
        challenges[0].starts_with("Bearer ") && challenges[1].starts_with("DPoP "),
        "{challenges:?}"
    );
}

#[actix_web::test]
async fn a_page_of_the_client_may_send_proofs_and_read_nonces() {
    let broker = Broker::start().await;
    let preflight =
        to(&broker, reqwest::Method::OPTIONS, TOKEN).header("origin", "https://app.example");
    let preflight = reply(preflight).await;
    assert!(preflight.header("access-control-allow-headers").contains("dpop"));

    let fields = [("grant_type", "authorization_code"), ("client_id", SPA), ("code", "x")];
    let answer = reply(post(&broker, TOKEN, &fields).header("origin", "https://app.example")).await;
    assert!(answer.header("access-control-expose-headers").contains("dpop-nonce"));
    let foreign =
        reply(post(&broker, TOKEN, &fields).header("origin", "https://evil.example")).await;
    assert_eq!(foreign.header("access-control-expose-headers"), "");
}

#[actix_web::test]
async fn a_pushed_request_leads_to_a_login() {
    let broker = Broker::start().await;
    let body = query(&[("prompt", Some("none"))]);
    let push = |body: String| {
        to(&broker, reqwest::Method::POST, "/oauth/par")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };

    let pushed = reply(push(body.clone()).basic_auth(WEB, Some(SECRET))).await;

    assert_eq!((pushed.status, pushed.header("cache-control")), (201, "no-store"));
    assert_eq!(pushed.json()["expires_in"], 90);
    let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    let path = format!("/authorize?client_id={WEB}&request_uri={uri}");
    let told = get(&broker, &path).await;
    assert!(told.header("location").contains("error=login_required"), "{}", told.body);
    let again = get(&broker, &path).await;
    assert_eq!((again.status, again.header("location")), (400, ""));

    let wrong = reply(push(body.clone()).basic_auth(WEB, Some("wrong"))).await;
    assert_eq!((wrong.status, &wrong.json()["error"]), (401, &json!("invalid_client")));
    assert!(wrong.header("www-authenticate").starts_with("Basic "));
    let bad = query(&[("scope", Some("admin"))]);
    let bad = reply(push(bad).basic_auth(WEB, Some(SECRET))).await;
    assert_eq!((bad.status, &bad.json()["error"]), (400, &json!("invalid_scope")));
    let typed = to(&broker, reqwest::Method::POST, "/oauth/par").body(body);
    assert_eq!(reply(typed).await.json()["error"], "invalid_request");
    let got = get(&broker, "/oauth/par").await;
    assert_eq!(got.status, 405, "{}", got.body);
}

#[actix_web::test]
async fn a_request_uri_of_somebody_else_is_refused() {
    let broker = Broker::start().await;
    let evil = query(&[("request_uri", Some("https://evil.example/request"))]);
    let told = get(&broker, &format!("/authorize?{evil}")).await;
    assert!(told.header("location").contains("error=request_uri_not_supported"), "{}", told.body);
}

/// Verify early, spend late: what a public client's name and a fresh key are enough for writes nothing.
#[actix_web::test]
async fn a_proof_is_spent_with_the_code_and_not_before() {
    let broker = Broker::start().await;
    let proof = Holder::new().proof(&broker, TOKEN, &json!({}));

    let junk = redeemed(&broker, "junk", &[&proof]).await;
    assert_eq!((junk.status, &junk.json()["error"]), (400, &json!("invalid_grant")));
    assert_eq!(redeemed(&broker, &new_code(&broker).await, &[&proof]).await.status, 200);

    let code = new_code(&broker).await;
    let again = redeemed(&broker, &code, &[&proof]).await;
    assert_eq!((again.status, &again.json()["error"]), (400, &json!("invalid_dpop_proof")));
    let fresh = Holder::new().proof(&broker, TOKEN, &json!({}));
    assert_eq!(redeemed(&broker, &code, &[&fresh]).await.status, 200, "the code was kept");
}

#[actix_web::test]
async fn any_page_may_read_refusals_of_userinfo_and_their_nonces() {
    let broker = Broker::start().await;
    let exposed = async |request: reqwest::RequestBuilder| {
        let refused = reply(request.header("origin", "https://any.example")).await;
        assert_eq!(refused.header("access-control-allow-origin"), "https://any.example");
        refused.header("access-control-expose-headers").to_owned()
    };
    let bare = || to(&broker, reqwest::Method::GET, USERINFO);
    let twice = post(&broker, USERINFO, &[("access_token", "x")]).bearer_auth("x");

    for request in [bare(), bare().bearer_auth("x"), twice] {
        assert_eq!(exposed(request).await, "dpop-nonce, www-authenticate");
    }
}

/// RFC 9449 §8: that a nonce is needed is no failure; and who failed too often still gets a nonce that a page can read.
#[actix_web::test]
async fn a_nonce_is_given_without_counting_and_with_the_429() {
    let limits = [("HOMEREALM_LIMITS__ENABLED", "true"), ("HOMEREALM_LIMITS__FAILURES", "1/h")];
    let broker = Broker::start_in("", &limits).await;
    let holder = Holder::new();
    let token = bound_token(&broker, &holder).await;
    for _ in 0..3 {
        let bare = json!({"htm": "GET", "ath": ath(&token), "nonce": null});
        let bare = holder.proof(&broker, USERINFO, &bare);
        let told = userinfo(&broker, "DPoP", &token, Some(&bare)).await;
        assert_eq!((told.status, &told.json()["error"]), (401, &json!("use_dpop_nonce")));
    }
    let failed = async || {
        let request = to(&broker, reqwest::Method::GET, USERINFO)
            .header("authorization", "DPoP x")
            .header("DPoP", "x")
            .header("origin", "https://any.example");
        reply(request).await
    };

    assert_eq!(failed().await.status, 401);
    let refused = failed().await;

    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty() && !refused.header("dpop-nonce").is_empty());
    assert_eq!(refused.header("access-control-allow-origin"), "https://any.example");
    assert!(refused.header("access-control-expose-headers").contains("dpop-nonce"));
}
