//! Apps of others: consent, their own organization's connections and the shared ones, and errors that stay with us.

use serde_json::{Value, json};
use testkit::browser::{Browser, Landing};
use testkit::html::Page;
use testkit::scene::{API, Scene, VERIFIER, idle_metadata};

const SITE: &str = "https://site.acme.example/cb";

/// A scene with an app of Acme's own; gives its credentials.
async fn scene() -> Option<(Scene, String, String)> {
    let scene = Scene::with_login().await?;
    let app = json!({"client_name": "Acme site", "first_party": false, "organization": "acme", "redirect_uris": [SITE],
        "client_uri": "https://site.acme.example/"});
    let app = scene.app.admin.create("/clients", &app).await;
    let text = |name: &str| app[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    scene.grant(&id, &["read:data"]).await;
    Some((scene, id, secret))
}

fn browser() -> Browser {
    Browser::new(SITE)
}

async fn start(
    scene: &Scene,
    client: &str,
    browser: &mut Browser,
    more: &[(&str, &str)],
) -> Landing {
    let mut changes =
        vec![("client_id", client), ("redirect_uri", SITE), ("connection", "acme-saml")];
    changes.retain(|(name, _)| !more.iter().any(|(n, _)| n == name));
    changes.extend(more);
    browser.open(&scene.authorize(&changes)).await
}

async fn consent_page(scene: &Scene, client: &str, browser: &mut Browser) -> Page {
    let page = start(scene, client, browser, &[]).await.page();
    assert_eq!(page.status, 200, "{}", scene.explain(&page).await);
    assert!(page.url.path().starts_with("/consent"), "{}", page.url);
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_is_asked_once_and_the_app_gets_its_token() {
    let Some((scene, client, secret)) = scene().await else { return };
    let mut browser = browser();

    let page = consent_page(&scene, &client, &mut browser).await;
    for words in ["Acme site", "Acme", "The API"] {
        assert!(page.text().contains(words), "{}", page.text());
    }
    let landing = browser.submit(page.form().unwrap().press("decision", "allow")).await;
    let code = scene.code(landing).await;
    let answer = scene
        .token(
            Some((&client, &secret)),
            &[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", SITE),
                ("code_verifier", VERIFIER),
            ],
        )
        .await;

    assert_eq!(answer.status, 200, "{:#}", answer.json);
    let claims = testkit::scene::claims_of(answer.json["access_token"].as_str().unwrap());
    assert_eq!(claims["aud"], API);
    assert_eq!(claims["client_id"], client);
    assert_eq!(claims["org_name"], "acme");
    // remembered: the second time there is no question
    let landing = start(&scene, &client, &mut browser, &[]).await;
    scene.code(landing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_goes_back_to_the_app_and_is_not_remembered() {
    let Some((scene, client, _)) = scene().await else { return };
    let mut browser = browser();
    let page = consent_page(&scene, &client, &mut browser).await;

    let landing = browser.submit(page.form().unwrap().press("decision", "deny")).await;

    assert_eq!(scene.error(landing).await, "access_denied");
    consent_page(&scene, &client, &mut browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_question_is_answered_once_and_by_the_browser_that_was_asked() {
    let Some((scene, client, _)) = scene().await else { return };
    let mut asked = browser();
    let page = consent_page(&scene, &client, &mut asked).await;
    let form = page.form().unwrap().press("decision", "allow");

    let stolen = browser().send_form(&form).await;
    assert_eq!(stolen.status, 400, "{}", stolen.text());

    let landing = asked.submit(form.clone()).await;
    scene.code(landing).await;
    let again = asked.send_form(&form).await;
    assert_eq!(again.status, 400, "{}", again.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organizations_connection_looks_like_none_until_it_is_shared() {
    let Some((scene, client, _)) = scene().await else { return };
    let admin = &scene.app.admin;
    admin.create("/organizations", &json!({"name": "globex", "display_name": "Globex"})).await;
    let foreign = json!({"organization": "globex", "domains": []});
    scene.saml("globex-saml", &idle_metadata("idp.globex.example"), &foreign).await;
    let at_globex = [("connection", "globex-saml")];

    let closed = start(&scene, &client, &mut browser(), &at_globex).await.page();
    let none = start(&scene, &client, &mut browser(), &[("connection", "nothing")]).await.page();

    assert_eq!((closed.status.as_u16(), none.status.as_u16()), (400, 400));
    let words = |page: &Page| page.text().replace(&page.reference().unwrap(), "");
    assert_eq!(words(&closed), words(&none));
    // the admin learns what would open it
    let trace = admin.trace(&closed.reference().unwrap()).await;
    assert_eq!(trace["code"], "connection_unknown", "{trace:#}");
    let told = trace["checks"].to_string();
    assert!(told.contains("`is_domain_connection` is false"), "{trace:#}");
    let elsewhere =
        json!({"is_domain_connection": true, "domain_connection_organizations": ["globex"]});
    admin.change("/connections/globex-saml", &elsewhere).await;
    let landing = start(&scene, &client, &mut browser(), &at_globex).await;
    let trace = scene.refused(landing, 400, "connection_unknown").await;
    assert!(trace["checks"].to_string().contains("`domain_connection_organizations`"), "{trace:#}");
    let open = json!({"domain_connection_organizations": ["acme"]});
    admin.change("/connections/globex-saml", &open).await;
    let url = scene.authorize(&[
        ("client_id", &client),
        ("redirect_uri", SITE),
        ("connection", "globex-saml"),
    ]);
    let sent = browser().get(&url).await;
    assert!(sent.header("location").starts_with("https://idp.globex.example/"), "{}", sent.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_stay_on_our_page_with_a_link_to_the_app() {
    let Some((scene, client, _)) = scene().await else { return };
    for wrong in [
        ("code_challenge", ""),
        ("scope", "openid write:data"),
        ("audience", "https://other.example"),
    ] {
        let page = start(&scene, &client, &mut browser(), &[wrong]).await.page();

        assert_eq!(page.status, 400, "{wrong:?} {}", page.text());
        assert!(
            page.links().iter().any(|link| link.starts_with("https://site.acme.example/")),
            "{:?}",
            page.links()
        );
    }
    let silent = [("prompt", "none")];
    let landing = start(&scene, &client, &mut browser(), &silent).await;
    assert_eq!(scene.error(landing).await, "login_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_there_is_no_way_in() {
    let Some((scene, client, _)) = scene().await else { return };
    let grants = scene.app.admin.get("/client-grants").await.json;
    let of_client = |grant: &&Value| grant["client_id"] == client.as_str();
    let grant = grants["items"].as_array().unwrap().iter().find(of_client).unwrap();
    scene.app.admin.delete(&format!("/client-grants/{}", grant["id"].as_str().unwrap())).await;

    let page = start(&scene, &client, &mut browser(), &[]).await.page();

    assert_eq!(page.status, 400, "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_was_blocked_meanwhile_is_kept_out() {
    let Some((scene, client, _)) = scene().await else { return };
    let mut browser = browser();
    consent_page(&scene, &client, &mut browser).await;
    let users = scene.app.admin.get("/users").await.json;
    let user = users["items"][0]["id"].as_str().unwrap();
    scene.app.admin.change(&format!("/users/{user}"), &json!({"blocked": true})).await;

    let landing = start(&scene, &client, &mut browser, &[]).await;

    scene.refused(landing, 403, "user_blocked").await;
}
