//! The simulation is held against what logins really do.

use homerealm_connectors::connector::Begun;
use serde_json::{Value, json};

use super::Api;
use crate::login::begin::{self, Problem};
use crate::login::fixtures::request;
use crate::login::transaction::Browser;
use crate::login::{AuthorizationRequest, LoginError, Started, Step, start};

/// Connections of two organizations and shared ones; each sends its users to a host of its own.
async fn customers(api: &Api) {
    for (name, domains) in [
        (
            "acme",
            json!([{"name": "acme.example", "verified": true}, {"name": "*.acme.example", "verified": true}]),
        ),
        ("globex", json!([{"name": "globex.example", "verified": true}])),
    ] {
        api.create("/organizations", json!({"name": name, "domains": domains})).await;
    }
    for (name, owner, domains, more) in [
        ("acme-a", Some("acme"), json!(["acme.example"]), json!({})),
        ("acme-b", Some("acme"), json!(["acme.example", "*.acme.example"]), json!({})),
        ("acme-off", Some("acme"), json!(["off.acme.example"]), json!({"enabled": false})),
        (
            "globex-a",
            Some("globex"),
            json!(["globex.example"]),
            json!({"is_domain_connection": true}),
        ),
        ("globex-b", Some("globex"), json!([]), json!({"clients": ["first"]})),
        ("social", None, json!(["many.example"]), json!({"is_domain_connection": true})),
        ("internal", None, json!(["many.example"]), json!({})),
    ] {
        let mut body = json!({"name": name, "strategy": "oauth2", "organization": owner, "domains": domains,
            "options": {"authorization_url": format!("https://{name}.idp.example/authorize"), "client_id": "us",
                "token_url": "https://idp.example/token", "userinfo_url": "https://idp.example/me",
                "subject_attribute": "id"}});
        for (field, value) in more.as_object().unwrap() {
            body[field] = value.clone();
        }
        api.create("/connections", body).await;
    }
    for (id, more) in [
        ("first", json!({"first_party": true, "otherwise_connections": ["social", "internal"]})),
        ("tied", json!({"first_party": true, "organization": "acme"})),
        ("third", json!({"organization": "acme", "otherwise_connections": ["social", "internal"]})),
        (
            "narrow",
            json!({"organization": "globex", "connections": ["globex-a"], "otherwise_connections": ["social"]}),
        ),
        ("off", json!({"first_party": true, "enabled": false})),
    ] {
        let mut body = json!({"client_id": id, "client_name": id, "redirect_uris": ["https://app.example/cb"]});
        for (field, value) in more.as_object().unwrap() {
            body[field] = value.clone();
        }
        api.create("/clients", body).await;
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    client: &'static str,
    email: Option<&'static str>,
    organization: Option<&'static str>,
    connection: Option<&'static str>,
    remembered: Option<&'static str>,
}

/// Kind, connections and, where nobody is named, why.
type Outcome = (String, Vec<String>, Option<String>);

async fn simulated(api: &Api, case: Case) -> Outcome {
    let answer = api
        .post(
            "/simulate/home-realm",
            json!({"client_id": case.client, "email": case.email, "organization": case.organization,
                   "connection": case.connection, "remembered": case.remembered}),
        )
        .await;
    assert_eq!(answer.status, 200, "{case:?}: {}", answer.body);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let decision = &answer.body["decision"];
    let names: Vec<String> = decision["connections"].as_array().unwrap().iter().map(text).collect();
    let reason = names.is_empty().then(|| text(&answer.body["reason"]));
    (text(&decision["kind"]), names, reason)
}

async fn real(api: &Api, case: Case) -> Outcome {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let request = AuthorizationRequest {
        client_id: case.client.to_owned(),
        login_hint: owned(case.email),
        organization: owned(case.organization),
        connection: owned(case.connection),
        ..request()
    };
    let browser = Browser::default().with_remembered(owned(case.remembered));
    let none = |kind: &str, why: &str| (kind.to_owned(), Vec::new(), Some(why.to_owned()));
    let Started { transaction, browser_secret, step, .. } =
        match start(api.app(), &browser, request).await {
            Ok(started) => started,
            Err(LoginError::Page(page)) => return none("refusal", page.code),
            Err(LoginError::ToClient(error)) => panic!("{error:?}"),
        };
    if let Step::Upstream(begun) = step {
        let Begun::Redirect { url } = begun else { panic!("{begun:?}") };
        let name = url.host_str().unwrap().split('.').next().unwrap().to_owned();
        return ("connection".to_owned(), vec![name], None);
    }
    let page = begin::page(api.app(), &Browser::new(Some(browser_secret)), &transaction).await;
    let page = page.unwrap();
    let names = page.choices.iter().map(|c| c.name.to_string()).collect::<Vec<_>>();
    match (names.is_empty(), page.offer, page.problem) {
        (false, None, None) => ("choice".to_owned(), names, None),
        (true, Some(offer), None) => ("suggestion".to_owned(), vec![offer.name.to_string()], None),
        (true, None, Some(Problem::UnknownDomain)) => none("ask", "unknown_domain"),
        (true, None, None) => none("ask", "nothing_known"),
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn the_simulation_says_what_every_login_does() {
    let api = Api::start().await;
    customers(&api).await;
    let emails = [
        None,
        Some("a@acme.example"),
        Some("a@EU.acme.example"),
        Some("a@off.acme.example"),
        Some("a@globex.example"),
        Some("a@many.example"),
        Some("a@nowhere.example"),
    ];
    let connections =
        [None, None, Some("acme-a"), Some("globex-b"), Some("acme-off"), Some("none")];
    let mut cases = Vec::new();
    for client in ["first", "tied", "third", "narrow", "off"] {
        for email in emails {
            for organization in [None, Some("acme"), Some("globex"), Some("none")] {
                for connection in connections {
                    for remembered in [None, Some("social"), Some("acme-b"), Some("none")] {
                        cases.push(Case { client, email, organization, connection, remembered });
                    }
                }
            }
        }
    }
    let mut kinds = std::collections::BTreeSet::new();
    // every thirteenth: 13 shares no factor with the lengths above, so no value is left out
    let remembered = Some("social");
    let plain =
        Case { client: "first", email: None, organization: None, connection: None, remembered };
    for case in cases.into_iter().step_by(13).chain([plain]) {
        let said = simulated(&api, case).await;
        assert_eq!(said, real(&api, case).await, "{case:?}");
        kinds.insert(said.0);
    }
    let every = ["ask", "choice", "connection", "refusal", "suggestion"].map(str::to_owned);
    assert_eq!(kinds, every.into());
    api.stop().await;
}

#[actix_web::test]
async fn connections_for_unknown_domains_must_exist_and_are_shown() {
    let api = Api::start().await;
    customers(&api).await;
    let body = |names: Value| {
        json!({"client_name": "App", "first_party": true, "otherwise_connections": names,
                                     "redirect_uris": ["https://app.example/cb"]})
    };

    let unknown = api.post("/clients", body(json!(["social", "nothing"]))).await;
    let made = api.create("/clients", body(json!(["social"]))).await;

    assert_eq!((unknown.status, unknown.fields()), (422, vec!["otherwise_connections.1"]));
    assert_eq!(made["otherwise_connections"], json!(["social"]));
    let many = vec!["social"; 11];
    let many = api.post("/clients", body(json!(many))).await;
    assert_eq!((many.status, many.fields()), (422, vec!["otherwise_connections"]));
    api.stop().await;
}

/// Addresses that only look like one, or are none: the same answer at every door.
#[actix_web::test]
async fn hostile_addresses_lead_nowhere() {
    let api = Api::start().await;
    customers(&api).await;
    let home_realm = async |email: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("client_id", "tied"), ("email", email)])
            .finish();
        super::send(api.anonymous(reqwest::Method::GET, &format!("/home-realm?{query}"))).await
    };
    assert_eq!(home_realm("a@acme.example").await.body["choices"][0]["name"], "acme-a");
    // other domains, well written
    for other in
        ["a@\u{430}cme.example", "a@acme.example.evil.example", "acme.example@evil.example"]
    {
        let answer = home_realm(other).await;
        assert_eq!((answer.status, &answer.body["choices"]), (200, &json!([])), "{other}");
        assert_eq!(answer.body["connection"], Value::Null, "{other}");
    }
    // no addresses
    for bad in [
        "a@\u{ff41}cme.example",
        "a@acme\u{3002}example",
        "a@acme.example.",
        "a@xn--acme.example",
        "\"a\"@acme.example",
        "\"a@evil.example\"@acme.example",
        "a@evil.example@acme.example",
        "a@acme.example\u{0}",
        "a@acme.example\r\nx: y",
        "a@acme.\u{200b}example",
        "a@ac\u{ad}me.example",
        "<a@acme.example>",
        "a@acme.example,b@evil.example",
    ] {
        assert_eq!(home_realm(bad).await.status, 400, "{bad:?}");
        let simulated =
            api.post("/simulate/home-realm", json!({"client_id": "tied", "email": bad}));
        assert_eq!(simulated.await.fields(), ["email"], "{bad:?}");
    }
    let long = |labels| format!("a@{}acme.example", "x.".repeat(labels));
    let simulated = json!({"client_id": "tied", "email": long(50_000)});
    let simulated = api.post("/simulate/home-realm", simulated).await.status;
    let shown = home_realm(&long(15_000)).await.status;
    assert!((400..500).contains(&simulated) && (400..500).contains(&shown), "{simulated} {shown}");
    api.stop().await;
}
