//! Plain OAuth 2.0 connections, GitHub's preset, and Google's.

use serde_json::{Value, json};

use super::Api;

fn github() -> Value {
    json!({"name": "github", "strategy": "oauth2", "vendor": "github", "display_name": "GitHub",
           "options": {"client_id": "us", "client_secret": "s3cret-upstream"}})
}

fn generic() -> Value {
    json!({"name": "social", "strategy": "oauth2",
           "options": {"authorization_url": "https://social.example/authorize",
                       "token_url": "https://social.example/token",
                       "userinfo_url": "https://api.social.example/me",
                       "client_id": "us", "subject_attribute": "data.id"}})
}

/// The body with one option changed.
fn with(mut body: Value, option: &str, value: Value) -> Value {
    body["options"][option] = value;
    body
}

#[actix_web::test]
async fn github_needs_no_more_than_an_application() {
    let api = Api::start().await;

    let made = api.create("/connections", github()).await;

    let options = &made["options"];
    for (option, value) in [
        ("authorization_url", json!("https://github.com/login/oauth/authorize")),
        ("token_url", json!("https://github.com/login/oauth/access_token")),
        ("userinfo_url", json!("https://api.github.com/user")),
        ("emails_url", json!("https://api.github.com/user/emails")),
        ("scopes", json!(["read:user", "user:email"])),
        ("subject_attribute", json!("id")),
        ("token_endpoint_auth_method", json!("client_secret_post")),
        ("pkce", json!(true)),
        ("foreign_domains", json!("refuse")),
    ] {
        assert_eq!(options[option], value, "{option}");
    }
    assert_eq!(made["urls"], json!({"callback": format!("{}/callback/github", api.issuer())}));
    assert!(!made.to_string().contains("s3cret"), "{made}");
    let changed = api.patch("/connections/github", json!({"display_name": "Hub"})).await;
    assert_eq!((changed.status, &changed.body["options"]), (200, options), "{}", changed.body);
    api.stop().await;
}

#[actix_web::test]
async fn each_option_that_could_let_the_wrong_person_in_is_refused() {
    let api = Api::start().await;
    for (body, field) in [
        (with(generic(), "subject_attribute", Value::Null), "options.subject_attribute"),
        (with(generic(), "subject_attribute", json!("email")), "options.subject_attribute"),
        (with(generic(), "subject_attribute", json!("data.Username")), "options.subject_attribute"),
        (with(github(), "subject_attribute", json!("login")), "options.subject_attribute"),
        (with(github(), "subject_attribute", json!("node_id")), "options.subject_attribute"),
        (with(generic(), "token_url", json!("http://social.example/token")), "options.token_url"),
        (
            with(generic(), "userinfo_url", json!("https://u@social.example")),
            "options.userinfo_url",
        ),
        (
            with(generic(), "authorization_url", json!("javascript:alert(1)")),
            "options.authorization_url",
        ),
        (
            with(generic(), "authorization_url", json!("https://social.example/#x")),
            "options.authorization_url",
        ),
        (with(generic(), "userinfo_url", Value::Null), "options.userinfo_url"),
        (with(generic(), "emails_url", json!("https://social.example/e")), "options.emails_url"),
        (with(generic(), "client_id", Value::Null), "options.client_id"),
        (
            with(generic(), "token_endpoint_auth_method", json!("client_secret_post")),
            "options.client_secret",
        ),
        (with(generic(), "scopes", json!(["a b"])), "options.scopes"),
        (
            with(generic(), "upstream_params", json!({"redirect_uri": "x"})),
            "options.upstream_params.redirect_uri",
        ),
        (
            with(generic(), "forced_login_params", json!({"state": "x"})),
            "options.forced_login_params.state",
        ),
        (with(generic(), "tenant", json!("x")), "options.tenant"),
    ] {
        let refused = api.post("/connections", body).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]), "{}", refused.body);
    }
    let mut saml = github();
    saml["strategy"] = json!("oidc");
    saml["options"]["issuer"] = json!("https://github.com");
    assert_eq!(api.post("/connections", saml).await.fields(), ["strategy"]);
    assert_eq!(api.get("/connections").await.body["items"], json!([]));
    api.create("/connections", generic()).await;
    api.stop().await;
}

#[actix_web::test]
async fn google_has_its_issuer_already() {
    let api = Api::start().await;
    let google = |options: Value| json!({"name": "google", "strategy": "oidc", "vendor": "google", "options": options});

    let refused = api.post("/connections", google(json!({"client_id": "us", "issuer": "x"}))).await;
    let made = api.create("/connections", google(json!({"client_id": "us"}))).await;

    assert_eq!(refused.fields(), ["options.issuer"]);
    assert_eq!(made["options"]["issuer"], "https://accounts.google.com");
    api.stop().await;
}
