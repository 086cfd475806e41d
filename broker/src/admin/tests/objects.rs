//! What every kind of object has in common.

use reqwest::Method;
use serde_json::json;

use super::{Api, TOKEN, send};

#[actix_web::test]
async fn refuses_without_the_token_and_with_another() {
    let api = Api::start().await;
    for token in [None, Some("x".repeat(TOKEN.len())), Some(String::new())] {
        let mut request = api.request(Method::GET, "/organizations");
        request = match token {
            Some(token) => {
                let mut request = request.build().unwrap();
                request
                    .headers_mut()
                    .insert("authorization", format!("Bearer {token}").parse().unwrap());
                reqwest::RequestBuilder::from_parts(api.http.clone(), request)
            }
            None => {
                let mut request = request.build().unwrap();
                request.headers_mut().remove("authorization");
                reqwest::RequestBuilder::from_parts(api.http.clone(), request)
            }
        };

        let answer = send(request).await;

        assert_eq!(answer.status, 401);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    }
    api.stop().await;
}

#[actix_web::test]
async fn creates_reads_changes_and_deletes_an_organization() {
    let api = Api::start().await;

    let made = api.acme().await;
    assert_eq!(made["name"], "acme");
    assert_eq!(made["domains"], json!([{"name": "acme.example", "verified": true}]));
    let id = made["id"].as_str().unwrap();
    for key in [id, "acme"] {
        assert_eq!(api.get(&format!("/organizations/{key}")).await.body, made);
    }

    let changed = api.patch("/organizations/acme", json!({"display_name": "Acme Corp"})).await;
    assert_eq!((changed.status, &changed.body["display_name"]), (200, &json!("Acme Corp")));
    assert_eq!(changed.body["domains"], made["domains"], "what a patch leaves out stays");

    assert_eq!(api.delete("/organizations/acme").await.status, 204);
    assert_eq!(api.get("/organizations/acme").await.status, 404);
    let again = api.post("/organizations", json!({"name": "acme"})).await;
    assert_eq!((again.status, again.fields()), (409, vec!["name"]), "names are never reused");
    api.stop().await;
}

#[actix_web::test]
async fn tells_malformed_json_from_wrong_fields() {
    let api = Api::start().await;
    let raw = |text: &'static str| {
        api.request(Method::POST, "/organizations")
            .header("content-type", "application/json")
            .body(text)
    };
    for text in ["{", "[]", "\"x\"", "", "{\"name\":\"a\",\"name\":\"b\"}"] {
        assert_eq!(send(raw(text)).await.status, 400, "{text}");
    }
    let typed =
        api.request(Method::POST, "/organizations").header("content-type", "text/plain").body("{}");
    assert_eq!(send(typed).await.status, 415);

    let wrong = api
        .post(
            "/organizations",
            json!({"name": "Acme!", "surprise": 1, "domains": [{"name": "co.uk"}, {"x": 1}]}),
        )
        .await;

    assert_eq!(wrong.status, 422);
    assert_eq!(
        wrong.fields(),
        ["name", "domains.0.name", "domains.1.name", "domains.1.x", "surprise"]
    );
    api.stop().await;
}

#[actix_web::test]
async fn a_second_object_with_the_same_name_is_a_conflict() {
    let api = Api::start().await;
    api.acme().await;
    let second = api.post("/organizations", json!({"name": "acme"})).await;
    assert_eq!((second.status, second.fields()), (409, vec!["name"]));
    api.stop().await;
}

#[actix_web::test]
async fn if_match_must_name_the_current_version() {
    let api = Api::start().await;
    let made = api.post("/organizations", json!({"name": "acme"})).await;
    let first = made.headers["etag"].to_str().unwrap().to_owned();
    let patch = |tag: String, name: &'static str| {
        let request = api.request(Method::PATCH, "/organizations/acme").header("if-match", tag);
        super::json(request, &json!({"display_name": name}))
    };

    assert_eq!(send(patch(first.clone(), "One")).await.status, 200);
    assert_eq!(send(patch(first.clone(), "Two")).await.status, 412);
    let delete = api.request(Method::DELETE, "/organizations/acme").header("if-match", first);
    assert_eq!(send(delete).await.status, 412);

    let now = api.get("/organizations/acme").await;
    assert_eq!(now.body["display_name"], "One");
    assert_eq!(send(patch("*".to_owned(), "Three")).await.status, 200);
    api.stop().await;
}

#[actix_web::test]
async fn lists_page_by_page_without_loss_or_repeats() {
    let api = Api::start().await;
    for n in 0..7 {
        api.create("/organizations", json!({"name": format!("org-{n}")})).await;
    }

    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/organizations?limit=3{cursor}")).await.body;
        for item in page["items"].as_array().unwrap() {
            seen.push(item["name"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }

    seen.sort();
    let all: Vec<String> = (0..7).map(|n| format!("org-{n}")).collect();
    assert_eq!(seen, all);
    for bad in ["limit=0", "limit=201", "limit=x", "cursor=nonsense"] {
        assert_eq!(api.get(&format!("/organizations?{bad}")).await.status, 422, "{bad}");
    }
    api.stop().await;
}

#[actix_web::test]
async fn what_something_refers_to_cannot_be_deleted() {
    let api = Api::start().await;
    api.acme().await;
    api.create(
        "/clients",
        json!({"client_id": "portal", "client_name": "Portal", "organization": "acme",
               "redirect_uris": ["https://portal.acme.example/cb"]}),
    )
    .await;

    let refused = api.delete("/organizations/acme").await;

    assert_eq!(refused.status, 409);
    assert!(refused.body["detail"].as_str().unwrap().contains("portal"), "{}", refused.body);
    api.stop().await;
}

#[actix_web::test]
async fn unknown_addresses_and_methods_are_problems_too() {
    let api = Api::start().await;
    assert_eq!(api.get("/nothing").await.status, 404);
    let put = send(super::json(api.request(Method::PUT, "/organizations"), &json!({}))).await;
    assert_eq!(
        (put.status, put.headers["content-type"].to_str().unwrap()),
        (405, "application/problem+json")
    );
    api.stop().await;
}
