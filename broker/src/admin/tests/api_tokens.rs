//! Tokens of the management API: made, used within their scope, ended.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Api, send};
use crate::catalog::ApiToken;

/// A token of this scope (`organization:NAME` for one organization's), and its object.
pub(super) async fn token(api: &Api, name: &str, scope: &str) -> (String, Value) {
    let (scope, organization) = match scope.split_once(':') {
        Some((scope, organization)) => (scope, json!(organization)),
        None => (scope, Value::Null),
    };
    let expires_at = in_days(api, 30);
    let body = json!({"name": name, "scope": scope, "organization": organization, "expires_at": expires_at});
    let made = api.create("/api-tokens", body).await;
    (made["token"].as_str().unwrap().to_owned(), made)
}

fn in_days(api: &Api, days: i64) -> DateTime<Utc> {
    api.app().now() + TimeDelta::days(days)
}

/// Sends with a token; a body where there is one.
pub(super) async fn as_holder(
    api: &Api,
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Answer {
    let request = api.anonymous(method, &format!("/api/v1{path}")).bearer_auth(token);
    match body {
        Some(body) => send(super::json(request, &body)).await,
        None => send(request).await,
    }
}

#[actix_web::test]
async fn a_token_is_shown_once_and_kept_as_its_hash() {
    let api = Api::start().await;
    let (token, made) = token(&api, "ci", "operator").await;
    let id = made["id"].as_str().unwrap();

    let document = api.get("/openapi.json").await.body;
    super::documents::check_named(&document, "ApiToken", &made);
    for key in [id, "ci"] {
        let read = api.get(&format!("/api-tokens/{key}")).await.body;
        super::documents::check_named(&document, "ApiToken", &read);
        assert_eq!((&read["name"], read.get("token")), (&json!("ci"), None));
    }
    let whole = [api.get("/api-tokens").await.body, api.get("/logs").await.body];
    let secret = token.split_once('.').unwrap().1;
    assert!(whole.iter().all(|answer| !answer.to_string().contains(secret)));
    assert!(!whole[1].to_string().contains(&crate::ids::sha256_hex(&token)));
    api.stop().await;
}

#[actix_web::test]
async fn what_a_token_does_stands_under_its_name_in_the_audit_log() {
    let api = Api::start().await;
    let (token, _) = token(&api, "ci", "operator").await;

    let body = Some(json!({"name": "acme"}));
    let made = as_holder(&api, &token, Method::POST, "/organizations", body).await;

    assert_eq!(made.status, 201, "{}", made.body);
    let entries = api.get("/logs?actor=ci").await.body;
    assert_eq!(entries["items"][0]["actor"], json!({"kind": "token", "name": "ci"}));
    assert_eq!(entries["items"][0]["object"]["name"], "acme");
    api.stop().await;
}

#[actix_web::test]
async fn a_revoked_token_opens_nothing_and_its_name_is_never_reused() {
    let api = Api::start().await;
    let (token, made) = token(&api, "ci", "operator").await;
    let list = async || as_holder(&api, &token, Method::GET, "/clients", None).await.status;
    assert_eq!(list().await, 200);

    assert_eq!(
        api.delete(&format!("/api-tokens/{}", made["id"].as_str().unwrap())).await.status,
        204
    );

    assert_eq!(list().await, 401);
    let body = json!({"name": "ci", "scope": "operator", "expires_at": in_days(&api, 1)});
    let again = api.post("/api-tokens", body).await;
    assert_eq!((again.status, again.fields()), (409, vec!["name"]));
    api.stop().await;
}

#[actix_web::test]
async fn a_token_outlives_the_one_that_made_it_by_no_second_and_ends_with_it() {
    let api = Api::start().await;
    let (first, made) = token(&api, "first", "operator").await;
    let end: DateTime<Utc> = made["expires_at"].as_str().unwrap().parse().unwrap();
    let makes = async |holder: &str, name: &str, end: DateTime<Utc>| {
        let body = json!({"name": name, "scope": "operator", "expires_at": end});
        as_holder(&api, holder, Method::POST, "/api-tokens", Some(body)).await
    };
    let late = makes(&first, "late", end + TimeDelta::seconds(1)).await;
    assert_eq!((late.status, late.fields()), (422, vec!["expires_at"]));
    let child = makes(&first, "child", end).await.body;
    assert_eq!((&made["created_by"], &child["created_by"]), (&Value::Null, &made["id"]));
    let mut holders = vec![first.clone(), child["token"].as_str().unwrap().to_owned()];
    for depth in 2..=8 {
        let next = makes(&holders[depth - 1], &format!("t{depth}"), end).await;
        assert_eq!(next.status, 201, "{}", next.body);
        holders.push(next.body["token"].as_str().unwrap().to_owned());
    }
    assert_eq!(makes(&holders[8], "t9", end).await.fields(), ["name"]);
    let (other, _) = token(&api, "other", "operator").await;

    let path = format!("/api-tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(api.delete(&path).await.status, 204);

    for holder in &holders {
        assert_eq!(as_holder(&api, holder, Method::GET, "/clients", None).await.status, 401);
    }
    assert_eq!(as_holder(&api, &other, Method::GET, "/clients", None).await.status, 200);
    let left = api.get("/api-tokens").await.body;
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "{left}");
    api.stop().await;
}

#[actix_web::test]
async fn a_token_whose_maker_is_gone_opens_nothing_even_where_it_is_kept() {
    let api = Api::start().await;
    let (token, made) = token(&api, "ci", "operator").await;
    let found = api.app().catalog.get::<ApiToken>(made["id"].as_str().unwrap()).await.unwrap();
    let orphan =
        ApiToken { makers: vec!["apt_gone".to_owned()], ..ApiToken::clone(&found.unwrap().object) };
    api.app().catalog.update(&orphan, None).await.unwrap();

    assert_eq!(as_holder(&api, &token, Method::GET, "/clients", None).await.status, 401);
    api.stop().await;
}

#[actix_web::test]
async fn only_the_whole_token_opens_anything() {
    let api = Api::start().await;
    let (token, made) = token(&api, "ci", "operator").await;
    let id = made["id"].as_str().unwrap();
    let secret = token.split_once('.').unwrap().1;
    let other = self::token(&api, "other", "operator").await.0;
    let others_secret = other.split_once('.').unwrap().1;
    for wrong in [
        id.to_owned(),
        format!("{id}."),
        format!("ci.{secret}"),
        secret.to_owned(),
        format!("{id}.{others_secret}"),
        format!("{token}x"),
        token[..token.len() - 1].to_owned(),
        crate::ids::sha256_hex(&token),
    ] {
        let answer = as_holder(&api, &wrong, Method::GET, "/clients", None).await;
        assert_eq!(answer.status, 401, "{wrong}");
    }
    api.stop().await;
}

#[actix_web::test]
async fn a_token_ends_with_its_last_second() {
    let api = Api::start().await;
    let (token, made) = token(&api, "ci", "operator").await;
    let headers = |token: &str| {
        let mut headers = actix_web::http::header::HeaderMap::new();
        let value = format!("Bearer {token}").parse().unwrap();
        headers.insert(actix_web::http::header::AUTHORIZATION, value);
        headers
    };
    let end: DateTime<Utc> = made["expires_at"].as_str().unwrap().parse().unwrap();
    let at = async |now| {
        crate::admin::caller::identify(api.app(), &headers(&token), now).await.unwrap().is_some()
    };
    assert!(at(end - TimeDelta::seconds(1)).await);
    assert!(!at(end).await);
    api.stop().await;
}

#[actix_web::test]
async fn what_a_token_may_be_is_read_strictly() {
    let api = Api::start().await;
    api.acme().await;
    let good = || json!({"name": "ci", "scope": "operator", "expires_at": in_days(&api, 366)});
    let with = |field: &str, value: Value| {
        let mut body = good();
        body[field] = value;
        body
    };
    for (body, field) in [
        (with("name", json!("bootstrap")), "name"),
        (with("name", json!("Not a name")), "name"),
        (with("name", Value::Null), "name"),
        (with("scope", json!("root")), "scope"),
        (with("scope", Value::Null), "scope"),
        (with("scope", json!("organization")), "organization"),
        (with("organization", json!("acme")), "organization"),
        (with("expires_at", Value::Null), "expires_at"),
        (with("expires_at", json!("tomorrow")), "expires_at"),
        (with("expires_at", json!(in_days(&api, -1))), "expires_at"),
        (with("expires_at", json!(in_days(&api, 367))), "expires_at"),
    ] {
        let answer = api.post("/api-tokens", body.clone()).await;
        assert_eq!((answer.status, answer.fields()), (422, vec![field]), "{body}");
    }
    let unknown = json!({"name": "ci", "scope": "organization", "organization": "nobody", "expires_at": in_days(&api, 1)});
    assert_eq!(api.post("/api-tokens", unknown).await.fields(), ["organization"]);
    assert_eq!(api.post("/api-tokens", good()).await.status, 201);
    api.stop().await;
}

#[actix_web::test]
async fn an_organization_with_a_token_is_not_deleted_and_a_disabled_one_has_no_way_in() {
    let api = Api::start().await;
    api.acme().await;
    let (token, _) = token(&api, "acme-it", "organization:acme").await;
    let read =
        async || as_holder(&api, &token, Method::GET, "/organizations/acme", None).await.status;
    assert_eq!(read().await, 200);

    assert_eq!(api.delete("/organizations/acme").await.status, 409);
    assert_eq!(api.patch("/organizations/acme", json!({"enabled": false})).await.status, 200);

    assert_eq!(read().await, 401);
    api.stop().await;
}
