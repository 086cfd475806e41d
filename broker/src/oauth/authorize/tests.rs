use super::*;
use crate::catalog::{ClientGrant, GrantType, Organization, ResourceServer};
use crate::login::Prompt;
use crate::oauth::fixtures::{
    API, Broker, CALLBACK, CHALLENGE, LOOPBACK, PORTAL, WEB, access, request, texts,
};

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

async fn asked(broker: &Broker, changes: Changes<'_>) -> AuthorizationRequest {
    validate(broker.app(), &request(changes)).await.unwrap()
}

/// The error in the redirect, which also carries `state` and `iss`.
async fn told(broker: &Broker, changes: Changes<'_>) -> String {
    told_about(broker, &request(changes)).await
}

async fn told_about(broker: &Broker, params: &Params) -> String {
    let refused = validate(broker.app(), params).await;
    let Err(AuthorizeError::Answer(Answer::Redirect { url }, _)) = refused else {
        panic!("no redirect: {refused:?}")
    };
    let (target, query) = url.split_once('?').unwrap();
    let answer = Params::parse(query).unwrap();
    assert_eq!(target, CALLBACK);
    assert_eq!(answer.get("state"), params.get("state"));
    assert_eq!(answer.get("iss"), Some(broker.issuer()));
    assert_eq!(answer.get("code"), None);
    answer.get("error").unwrap().to_owned()
}

async fn page(broker: &Broker, changes: Changes<'_>) -> Refusal {
    page_about(broker, &request(changes)).await
}

async fn page_about(broker: &Broker, params: &Params) -> Refusal {
    let refused = validate(broker.app(), params).await;
    let Err(AuthorizeError::Page(refusal)) = refused else { panic!("no page: {refused:?}") };
    *refusal
}

#[actix_web::test]
async fn a_good_request_is_taken_as_it_came() {
    let broker = Broker::start().await;
    let changes = [
        ("state", Some("<b>&\"'%00 ü+/=")),
        ("login_hint", Some("ada@acme.example")),
        ("prompt", Some("login consent")),
        ("max_age", Some("0")),
        ("acr_values", Some("a  b")),
        ("connection", Some("acme-oidc")),
        ("organization", Some("acme")),
        ("response_mode", Some("form_post")),
        ("unknown", Some("ignored")),
        ("ui_locales", Some("")),
    ];

    let request = asked(&broker, &changes).await;

    assert_eq!(
        request,
        AuthorizationRequest {
            client_id: WEB.to_owned(),
            answer: AnswerTo::Client(WayThere {
                redirect_uri: CALLBACK.to_owned(),
                response_mode: ResponseMode::FormPost,
                state: Some("<b>&\"'%00 ü+/=".to_owned()),
                code_challenge: CHALLENGE.to_owned(),
            }),
            nonce: Some("n1".to_owned()),
            access: access(&["openid", "read"]),
            connection: Some("acme-oidc".to_owned()),
            organization: Some("acme".to_owned()),
            login_hint: Some("ada@acme.example".to_owned()),
            hinted_user: None,
            prompt: vec![Prompt::Login, Prompt::Consent],
            max_age: Some(0),
            acr_values: texts(&["a", "b"]),
            ui_locales: None,
            screen_hint: None,
            dpop_jkt: None,
            ignored: texts(&["unknown"]),
        }
    );
}

#[actix_web::test]
async fn nothing_is_sent_to_an_address_that_nobody_vouched_for() {
    let broker = Broker::start().await;
    let good = crate::oauth::fixtures::query(&[]);
    let twice = |more: &str| Params::parse(&format!("{good}&{more}")).unwrap();

    for (changes, code) in [
        ([("client_id", None)], "client_missing"),
        ([("client_id", Some("app_nobody"))], "client_unknown"),
        ([("client_id", Some("APP_WEB"))], "client_unknown"),
        ([("redirect_uri", None)], "redirect_uri_mismatch"),
        ([("redirect_uri", Some("https://app.example/cb/"))], "redirect_uri_mismatch"),
        ([("redirect_uri", Some("https://evil.example/cb"))], "redirect_uri_mismatch"),
        ([("redirect_uri", Some("http://127.0.0.1:0/cb"))], "redirect_uri_mismatch"),
    ] {
        assert_eq!(page(&broker, &changes).await.code, code, "{changes:?}");
    }
    let repeated = page_about(&broker, &twice("client_id=app_web")).await;
    assert_eq!(repeated.code, "client_missing");
    let repeated = page_about(&broker, &twice("redirect_uri=https%3A%2F%2Fapp.example%2Fcb")).await;
    assert_eq!(repeated.code, "redirect_uri_mismatch");
}

#[actix_web::test]
async fn a_disabled_client_or_organization_gets_a_page() {
    let broker = Broker::start().await;
    broker.change::<Client>(WEB, |client| client.enabled = false).await;
    broker.change::<Organization>("acme", |organization| organization.enabled = false).await;

    assert_eq!(page(&broker, &[]).await.code, "client_disabled");
    let of_acme = page(&broker, &[("client_id", Some(PORTAL)), ("prompt", Some("none"))]).await;
    assert_eq!(of_acme.code, "client_disabled");
}

#[actix_web::test]
async fn each_fault_is_told_to_the_client_by_its_code() {
    let broker = Broker::start().await;
    let short = &CHALLENGE[1..];

    for (name, value, error) in [
        ("response_type", None, "invalid_request"),
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_type", Some("code token"), "unsupported_response_type"),
        ("response_type", Some("code id_token"), "unsupported_response_type"),
        ("response_type", Some("none"), "unsupported_response_type"),
        ("response_mode", Some("fragment"), "invalid_request"),
        ("response_mode", Some("web_message"), "invalid_request"),
        ("request", Some("eyJhbGciOiJub25lIn0.e30."), "request_not_supported"),
        ("request_uri", Some("https://evil.example/r"), "request_uri_not_supported"),
        ("registration", Some("{}"), "registration_not_supported"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some(""), "invalid_request"),
        ("code_challenge", Some(short), "invalid_request"),
        ("code_challenge", Some("dBjftJeZ4CVP"), "invalid_request"),
        ("code_challenge_method", None, "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("code_challenge_method", Some("s256"), "invalid_request"),
        ("prompt", Some("none login"), "invalid_request"),
        ("prompt", Some("create"), "invalid_request"),
        ("max_age", Some("-1"), "invalid_request"),
        ("max_age", Some("1.5"), "invalid_request"),
        ("max_age", Some("+1"), "invalid_request"),
        ("max_age", Some("4294967296"), "invalid_request"),
        ("scope", Some("openid  read"), "invalid_scope"),
        ("scope", Some("openid admin"), "invalid_scope"),
        ("scope", Some("openid nothing"), "invalid_scope"),
        ("audience", Some("https://other.example"), "invalid_target"),
        ("audience", Some("https://api.example/"), "invalid_target"),
        ("resource", Some("https://other.example"), "invalid_target"),
    ] {
        assert_eq!(told(&broker, &[(name, value)]).await, error, "{name}={value:?}");
    }
}

#[actix_web::test]
async fn a_repeated_parameter_is_refused_and_a_repeated_state_not_echoed() {
    let broker = Broker::start().await;
    let good = crate::oauth::fixtures::query(&[]);

    for (more, error) in [
        ("state=s1", "invalid_request"),
        ("scope=openid", "invalid_request"),
        ("code_challenge_method=S256", "invalid_request"),
        ("x=1&x=2", "invalid_request"),
        (
            "resource=https%3A%2F%2Fapi.example&resource=https%3A%2F%2Fother.example",
            "invalid_target",
        ),
    ] {
        let params = Params::parse(&format!("{good}&{more}")).unwrap();
        assert_eq!(told_about(&broker, &params).await, error, "{more}");
    }
}

#[actix_web::test]
async fn a_client_needs_the_grant_type_and_a_grant_for_the_api() {
    let broker = Broker::start().await;
    let machine = crate::oauth::fixtures::MACHINE;
    assert_eq!(told(&broker, &[("client_id", Some(machine))]).await, "unauthorized_client");
    // its grant is for itself, not for users
    assert_eq!(told(&broker, &[("client_id", Some("app_other"))]).await, "access_denied");
}

#[actix_web::test]
async fn no_api_scope_asks_for_all_granted_ones() {
    let broker = Broker::start().await;

    let scopes =
        async |scope: Option<&str>| asked(&broker, &[("scope", scope)]).await.access.all_scopes();

    assert_eq!(scopes(None).await, texts(&["read", "write"]));
    assert_eq!(scopes(Some("email openid")).await, texts(&["email", "openid", "read", "write"]));
    assert_eq!(scopes(Some("write")).await, texts(&["write"]));
    // OIDC Core §11: ignored for a client that cannot refresh
    let offline = texts(&["openid", "offline_access", "write"]);
    assert_eq!(scopes(Some("openid offline_access write")).await, offline);
    broker.change::<Client>(WEB, |c| c.grant_types.retain(|g| *g != GrantType::RefreshToken)).await;
    assert_eq!(scopes(Some("openid offline_access write")).await, texts(&["openid", "write"]));
}

#[actix_web::test]
async fn a_scope_that_the_api_gave_up_is_not_granted() {
    let broker = Broker::start().await;
    let api = |api: &mut ResourceServer| api.scopes.retain(|scope| scope.value != "write");
    broker.change::<ResourceServer>(API, api).await;

    assert_eq!(asked(&broker, &[("scope", None)]).await.access.all_scopes(), texts(&["read"]));
    assert_eq!(told(&broker, &[("scope", Some("write"))]).await, "invalid_scope");
}

#[actix_web::test]
async fn without_an_api_there_is_a_default_or_userinfo_only() {
    let broker = Broker::start().await;
    let none = ("audience", None);

    let request = asked(&broker, &[none, ("scope", Some("openid email"))]).await;
    let oidc_scopes = texts(&["openid", "email"]);
    assert_eq!(request.access, Access { oidc_scopes, apis: Vec::new() });
    assert_eq!(told(&broker, &[none, ("scope", None)]).await, "invalid_scope");
    assert_eq!(told(&broker, &[none, ("scope", Some("openid read"))]).await, "invalid_scope");

    broker.change::<ResourceServer>(API, |api| api.default = true).await;
    let request = asked(&broker, &[none, ("scope", Some("openid"))]).await;
    assert_eq!(request.access, access(&["openid", "read", "write"]));
}

#[actix_web::test]
async fn resource_is_another_word_for_audience() {
    let broker = Broker::start().await;

    let request = asked(&broker, &[("audience", None), ("resource", Some(API))]).await;
    assert_eq!(request.access, access(&["openid", "read"]));
    let request = asked(&broker, &[("resource", Some(API))]).await;
    assert_eq!(request.access, access(&["openid", "read"]));
}

#[actix_web::test]
async fn an_api_is_named_by_its_identifier_only() {
    let broker = Broker::start().await;
    let api = broker.app().catalog.get::<ResourceServer>(API).await.unwrap().unwrap();

    assert_eq!(told(&broker, &[("audience", Some(&api.id))]).await, "invalid_target");
}

#[actix_web::test]
async fn a_loopback_client_chooses_its_port() {
    let broker = Broker::start().await;
    let uri = LOOPBACK.replace("127.0.0.1", "127.0.0.1:49152");

    assert_eq!(
        asked(&broker, &[("redirect_uri", Some(&uri))]).await.redirect_uri(),
        Some(uri.as_str())
    );
}

/// RULES 28.
#[actix_web::test]
async fn errors_of_third_party_clients_stay_on_our_page() {
    let broker = Broker::start().await;
    let portal = ("client_id", Some(PORTAL));

    let refusal = page(&broker, &[portal, ("scope", Some("admin"))]).await;
    assert_eq!(refusal.code, "invalid_scope");
    assert_eq!(refusal.client_id.as_deref(), Some(PORTAL));
    let link = refusal.link.unwrap();
    assert_eq!(link.name, "Name of tpc_portal");
    assert!(link.url.starts_with("https://app.example/cb?error=invalid_scope&"), "{}", link.url);
    assert!(link.url.contains("&state=s1&iss="));

    let posted = [portal, ("scope", Some("admin")), ("response_mode", Some("form_post"))];
    let link = page(&broker, &posted).await.link.unwrap();
    assert_eq!(link.url, "https://app.example/home");

    let silent = [portal, ("scope", Some("admin")), ("prompt", Some("none"))];
    assert_eq!(told(&broker, &silent).await, "invalid_scope");
}

#[actix_web::test]
async fn a_fault_is_posted_where_that_was_asked_for() {
    let broker = Broker::start().await;
    let params = request(&[("response_mode", Some("form_post")), ("scope", Some("admin"))]);

    let refused = validate(broker.app(), &params).await;

    let Err(AuthorizeError::Answer(Answer::FormPost { action, fields }, _)) = refused else {
        panic!("no form: {refused:?}")
    };
    assert_eq!(action, CALLBACK);
    assert_eq!(fields[0], ("error".to_owned(), "invalid_scope".to_owned()));
}

#[actix_web::test]
async fn a_grant_taken_away_is_gone_at_once() {
    let broker = Broker::start().await;
    let grants = broker.app().catalog.grants_of_client(WEB).await.unwrap();
    broker.app().catalog.delete::<ClientGrant>(&grants[0].id, None).await.unwrap();

    assert_eq!(told(&broker, &[]).await, "access_denied");
}

#[actix_web::test]
async fn a_store_that_is_away_refuses_nobody_for_good() {
    let broker = Broker::start().await;
    broker.app().catalog.close().await;

    let refused = validate(broker.app(), &request(&[("client_id", Some("not-cached"))])).await;

    assert!(matches!(refused, Err(AuthorizeError::Trouble(Trouble::Away(_)))), "{refused:?}");
}

#[actix_web::test]
async fn what_a_login_makes_us_keep_has_a_limit() {
    let broker = Broker::start().await;
    for (name, most) in [("state", 2048), ("nonce", 1024)] {
        let (fits, over) = ("x".repeat(most), "x".repeat(most + 1));

        asked(&broker, &[(name, Some(&fits))]).await;

        assert_eq!(told(&broker, &[(name, Some(&over))]).await, "invalid_request", "{name}");
    }
}

#[actix_web::test]
async fn unknown_parameters_are_ignored_and_named_for_the_trace_within_bounds() {
    let broker = Broker::start().await;
    let long = "a".repeat(100);
    let odd = [("ada@acme.example", Some("1")), (long.as_str(), Some("1")), ("claims", Some("{}"))];

    let names = asked(&broker, &odd).await.ignored;
    assert_eq!(names, texts(&[&"a".repeat(40), "ada?acme.example", "claims"]));

    let many: Vec<String> = (0..20).map(|i| format!("p{i:02}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), Some("x"))).collect();
    assert_eq!(asked(&broker, &many).await.ignored.len(), 10);
    assert!(asked(&broker, &[("ui_locales", Some("de"))]).await.ignored.is_empty());
}
