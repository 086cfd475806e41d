//! The routes over real sockets: statuses, headers, bodies, and no redirect where none is allowed.

mod consent;
mod consents;
mod device;
mod tokens;

use reqwest::header::{HOST, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::oauth::fixtures::{
    API, Broker, CALLBACK, MACHINE, PORTAL, SECRET, VERIFIER, WEB, form, query,
};
use crate::oauth::params::Params;

pub(super) struct Reply {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(super) fn to(broker: &Broker, method: Method, path: &str) -> RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let url = format!("http://{}{path}", broker.running.address);
    let host = broker.running.issuer().authority().to_owned();
    client.build().unwrap().request(method, url).header(HOST, host)
}

pub(super) async fn reply(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.unwrap(),
    }
}

pub(super) async fn get(broker: &Broker, path: &str) -> Reply {
    reply(to(broker, Method::GET, path)).await
}

pub(super) fn post(broker: &Broker, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    to(broker, Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(fields))
}

#[actix_web::test]
async fn a_wrong_redirect_uri_ends_on_our_page_with_a_trace() {
    let broker = Broker::start().await;
    let evil = query(&[("redirect_uri", Some("https://evil.example/\"><script>"))]);

    let page = get(&broker, &format!("/authorize?{evil}")).await;

    assert_eq!((page.status, page.header("location")), (400, ""));
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(!page.body.contains("evil.example"));
    let (_, rest) = page.body.split_once("data-reference=\"").unwrap();
    let reference = rest.split('"').next().unwrap();
    let trace = broker.app().catalog.trace(reference).await.unwrap().unwrap();
    assert_eq!(trace.code.as_deref(), Some("redirect_uri_mismatch"));
    assert_eq!(trace.client_id.as_deref(), Some(WEB));
}

#[actix_web::test]
async fn unreadable_parameters_end_on_our_page() {
    let broker = Broker::start().await;
    for path in
        ["/authorize", "/authorize?state=%ff", &format!("/authorize?{}", "a=1&".repeat(101))]
    {
        let page = get(&broker, path).await;
        assert_eq!((page.status, page.header("location")), (400, ""), "{path}");
    }
}

#[actix_web::test]
async fn a_fault_goes_back_to_a_first_party_client() {
    let broker = Broker::start().await;
    let bad = query(&[("scope", Some("admin")), ("state", Some("a b&c"))]);

    let by_query = get(&broker, &format!("/authorize?{bad}")).await;
    let by_form = to(&broker, Method::POST, "/authorize")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(bad);
    let by_form = reply(by_form).await;

    for told in [by_query, by_form] {
        assert_eq!(told.status, 303);
        let location = told.header("location");
        assert!(location.starts_with("https://app.example/cb?error=invalid_scope&"), "{location}");
        assert!(location.contains("&state=a+b%26c&iss=http%3A%2F%2Flocalhost%3A"), "{location}");
        assert_eq!(told.header("cache-control"), "no-store");
        assert_eq!(told.header("referrer-policy"), "no-referrer");
    }
    let traces = broker.app().catalog.list_traces(10, None).await.unwrap().items;
    assert_eq!(traces.len(), 2, "what the client is told can be looked up");
    for trace in traces {
        assert_eq!(trace.code.as_deref(), Some("invalid_scope"));
        assert_eq!(trace.client_id.as_deref(), Some(WEB));
    }
}

#[actix_web::test]
async fn a_form_of_another_site_comes_again_with_its_cookie() {
    let broker = Broker::start().await;
    let good = query(&[]);

    let posted = to(&broker, Method::POST, "/authorize")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(good.clone());
    let again = reply(posted).await;

    assert_eq!((again.status, again.header("set-cookie")), (200, ""));
    assert!(again.body.contains(&format!("action=\"{}/authorize\"", broker.issuer())));
    for (name, value) in Params::parse(&good).unwrap().pairs() {
        let field = format!("name=\"{name}\" value=\"{value}\"");
        assert!(again.body.contains(&field), "{field}: {}", again.body);
    }
    assert!(again.header("content-security-policy").contains("form-action 'self' https: https:;"));
}

/// RP-Initiated Logout §2: a form keeps the hint out of addresses, and it may be longer than one.
#[actix_web::test]
async fn a_long_hint_posted_by_another_site_gets_into_no_address() {
    let broker = Broker::start().await;
    let hint = "a".repeat(12 * 1024);

    let posted = post(&broker, "/oidc/logout", &[("id_token_hint", &hint)]);
    let again = reply(posted.header("sec-fetch-site", "cross-site")).await;

    assert_eq!((again.status, again.header("location")), (200, ""));
    assert!(again.body.contains(&hint));
    assert!(again.body.contains(&format!("action=\"{}/oidc/logout\"", broker.issuer())));
}

#[actix_web::test]
async fn two_authorization_headers_authenticate_nobody() {
    let broker = Broker::start().await;
    let fields = [("grant_type", "authorization_code"), ("client_id", "app_spa")];
    let twice = post(&broker, "/oauth/token", &fields)
        .basic_auth(WEB, Some(SECRET))
        .basic_auth("app_other", Some(SECRET));

    let refused = reply(twice).await;

    assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("invalid_client")));
}

#[actix_web::test]
async fn a_fault_of_a_third_party_client_stays_here_with_a_visible_link() {
    let broker = Broker::start().await;
    let bad = query(&[("client_id", Some(PORTAL)), ("scope", Some("admin"))]);

    let page = get(&broker, &format!("/authorize?{bad}")).await;

    assert_eq!((page.status, page.header("location")), (400, ""));
    assert!(
        page.body.contains("href=\"https://app.example/cb?error=invalid_scope"),
        "{}",
        page.body
    );
    assert!(page.body.contains("Name of tpc_portal"));
}

#[actix_web::test]
async fn form_post_is_a_page_that_posts_itself() {
    let broker = Broker::start().await;
    let bad = query(&[("scope", Some("admin")), ("response_mode", Some("form_post"))]);

    let page = get(&broker, &format!("/authorize?{bad}")).await;

    assert_eq!(page.status, 200);
    assert!(page.body.contains(&format!("action=\"{CALLBACK}\"")), "{}", page.body);
    assert!(page.body.contains("name=\"error\" value=\"invalid_scope\""));
    assert!(page.body.contains("name=\"state\" value=\"s1\""));
    assert!(page.header("content-security-policy").contains("form-action 'self' https:"));
}

#[actix_web::test]
async fn no_session_and_no_page_is_login_required() {
    let broker = Broker::start().await;

    let told = get(&broker, &format!("/authorize?{}", query(&[("prompt", Some("none"))]))).await;

    assert_eq!(told.status, 303);
    assert!(
        told.header("location").contains("error=login_required"),
        "{}",
        told.header("location")
    );
}

#[actix_web::test]
async fn a_code_becomes_tokens_and_claims() {
    let broker = Broker::start().await;
    let code = broker.code(&broker.grant().await).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];

    let tokens = reply(post(&broker, "/oauth/token", &fields).basic_auth(WEB, Some(SECRET))).await;

    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.header("content-type"), "application/json");
    assert_eq!(tokens.header("cache-control"), "no-store");
    let tokens = tokens.json();
    let token = tokens["access_token"].as_str().unwrap();

    let info = reply(
        to(&broker, Method::GET, "/userinfo").header("authorization", format!("bearer {token}")),
    );
    let info = info.await;
    assert_eq!(info.status, 200, "{}", info.body);
    assert_eq!(info.json()["email"], "ada@acme.example");
    let posted = reply(post(&broker, "/userinfo", &[("access_token", token)])).await;
    assert_eq!(posted.json(), info.json());
    let twice = post(&broker, "/userinfo", &[("access_token", token)]).bearer_auth(token);
    let twice = reply(twice).await;
    assert_eq!((twice.status, &twice.json()["error"]), (400, &json!("invalid_request")));
}

#[actix_web::test]
async fn token_errors_have_their_status_and_challenge() {
    let broker = Broker::start().await;
    let grant = ("grant_type", "client_credentials");
    let machine = [grant, ("client_id", MACHINE), ("client_secret", SECRET), ("audience", API)];
    assert_eq!(reply(post(&broker, "/oauth/token", &machine)).await.status, 200);

    let wrong = reply(post(&broker, "/oauth/token", &[grant]).basic_auth(WEB, Some("wrong"))).await;
    let unknown =
        reply(post(&broker, "/oauth/token", &[grant]).basic_auth("nobody", Some("wrong"))).await;
    for refused in [&wrong, &unknown] {
        assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("invalid_client")));
        assert_eq!(refused.header("www-authenticate"), "Basic realm=\"homerealm\"");
        assert_eq!(refused.header("cache-control"), "no-store");
    }
    assert_eq!(wrong.body, unknown.body);

    let unsupported = reply(post(&broker, "/oauth/token", &[("grant_type", "password")])).await;
    assert_eq!(
        (unsupported.status, &unsupported.json()["error"]),
        (400, &json!("unsupported_grant_type"))
    );
    assert_eq!(unsupported.header("www-authenticate"), "");

    // parameters and secrets in the query are not read
    let in_query = format!("/oauth/token?{}", form(&machine));
    let in_query = reply(post(&broker, &in_query, &[])).await;
    assert_eq!((in_query.status, &in_query.json()["error"]), (400, &json!("invalid_request")));

    let as_json =
        to(&broker, Method::POST, "/oauth/token").header("content-type", "application/json");
    let as_json = reply(as_json.body("{\"grant_type\":\"client_credentials\"}")).await;
    assert_eq!((as_json.status, &as_json.json()["error"]), (400, &json!("invalid_request")));

    assert_eq!(get(&broker, "/oauth/token").await.status, 405);
}

#[actix_web::test]
async fn a_store_away_is_503_with_retry_after() {
    let broker = Broker::start().await;
    broker.app().catalog.close().await;
    let machine =
        [("grant_type", "client_credentials"), ("client_id", "x"), ("client_secret", SECRET)];

    let away = reply(post(&broker, "/oauth/token", &machine)).await;

    assert_eq!((away.status, &away.json()["error"]), (503, &json!("temporarily_unavailable")));
    assert_ne!(away.header("retry-after"), "");
    let text = away.json()["error_description"].as_str().unwrap().to_owned();
    assert!(
        text.starts_with("This is on our side. The reference is ") && text.len() > 45,
        "{text}"
    );
    let page = get(&broker, &format!("/authorize?{}", query(&[("client_id", Some("x"))]))).await;
    assert_eq!(page.status, 503);
    assert_ne!(page.header("retry-after"), "");
    assert!(page.body.contains("data-reference=\""), "{}", page.body);
}

#[actix_web::test]
async fn userinfo_refuses_as_rfc_6750_says() {
    let broker = Broker::start().await;

    let none = get(&broker, "/userinfo").await;
    assert_eq!((none.status, none.header("www-authenticate")), (401, "Bearer realm=\"homerealm\""));
    assert_eq!(
        get(&broker, "/userinfo?access_token=x").await.header("www-authenticate"),
        none.header("www-authenticate")
    );
    let bad = reply(to(&broker, Method::GET, "/userinfo").bearer_auth("x")).await;
    assert_eq!(bad.status, 401);
    assert!(
        bad.header("www-authenticate")
            .starts_with("Bearer realm=\"homerealm\", error=\"invalid_token\"")
    );
}

#[actix_web::test]
async fn only_pages_of_the_client_may_read_its_tokens() {
    let broker = Broker::start().await;
    let fields = [("grant_type", "authorization_code"), ("client_id", "app_spa")];
    let from = async |origin: &'static str| {
        let asked = post(&broker, "/oauth/token", &fields).header("origin", origin);
        reply(asked).await.header("access-control-allow-origin").to_owned()
    };

    assert_eq!(from("https://app.example").await, "https://app.example");
    assert_eq!(from("https://evil.example").await, "");
    assert_eq!(from("null").await, "");
    let preflight =
        to(&broker, Method::OPTIONS, "/oauth/token").header("origin", "https://app.example");
    assert_eq!(reply(preflight).await.status, 204);
}

#[actix_web::test]
async fn discovery_and_keys_are_public_and_cacheable() {
    let broker = Broker::start().await;

    let openid = get(&broker, "/.well-known/openid-configuration").await;
    let oauth = get(&broker, "/.well-known/oauth-authorization-server").await;
    let jwks = get(&broker, "/.well-known/jwks.json").await;

    for document in [&openid, &oauth, &jwks] {
        assert_eq!((document.status, document.header("content-type")), (200, "application/json"));
        assert_eq!(document.header("cache-control"), "public, max-age=300");
        assert_eq!(document.header("access-control-allow-origin"), "*");
    }
    assert_eq!(openid.body, oauth.body);
    assert_eq!(openid.json()["issuer"], broker.issuer());
    assert!(jwks.json()["keys"].as_array().unwrap().len() >= 3);
    assert!(!jwks.body.contains("\"d\""));
}

/// RFC 6749 §5.2: clients read JSON, also where the body was not what a handler takes.
#[actix_web::test]
async fn a_body_that_cannot_be_read_is_refused_in_the_shape_of_its_path() {
    let broker = Broker::start().await;
    let send = |path: &str, body: Vec<u8>| {
        let request = to(&broker, Method::POST, path).body(body);
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    for path in ["/oauth/token", "/userinfo"] {
        for (body, status) in [(vec![b'a'; 65 * 1024], 413), (vec![0xff], 400)] {
            let refused = reply(send(path, body)).await;
            assert_eq!(
                (refused.status, refused.header("content-type")),
                (status, "application/json")
            );
            assert_eq!(refused.json()["error"], "invalid_request");
        }
    }
}
