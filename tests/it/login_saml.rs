//! Logins at pysaml2: five attribute styles, each way of signing, encryption, and what must be refused.

use chrono::TimeDelta;
use serde_json::{Value, json};
use testkit::browser::Landing;
use testkit::peers::{self, Peer};
use testkit::scene::{REDIRECT_URI, Scene, USER};
use url::Url;

/// A scene with a connection `acme-saml` to pysaml2, which then knows us by our own metadata.
async fn at_pysaml2(variant: &str, extra: &Value) -> Option<(Scene, &'static Peer)> {
    let idp = peers::pysaml2().await?;
    let scene = Scene::set().await;
    scene.saml_at(idp, "acme-saml", variant, extra).await;
    Some((scene, idp))
}

/// From the app to its tokens; gives the ID token's claims.
async fn log_in(scene: &Scene) -> Value {
    let mut browser = scene.browser();
    let landing = scene.start(&mut browser, "acme-saml").await;
    let (access, id) = scene.tokens(landing).await;
    assert_eq!(access["connection"], "acme-saml");
    assert_eq!(access["org_name"], "acme");
    let last: Vec<(&str, u16)> = browser.steps[browser.steps.len() - 2..]
        .iter()
        .map(|step| (step.url.path(), step.status.as_u16()))
        .collect();
    assert_eq!(last, [("/saml/acme-saml/acs", 303), ("/login/continue", 303)]);
    id
}

/// The same style signed in each legal way, one user after all.
async fn style_signs_in(style: &str, vendor: &str, expected: &Value) {
    let Some(idp) = peers::pysaml2().await else { return };
    let scene = Scene::set().await;
    let mut subjects = Vec::new();
    for sign in ["assertion", "response", "both"] {
        let (variant, name) = (format!("style={style},sign={sign}"), format!("acme-{sign}"));
        scene.saml_at(idp, &name, &variant, &json!({"vendor": vendor})).await;
        let landing = scene.start(&mut scene.browser(), &name).await;

        let (access, id) = scene.tokens(landing).await;

        for (claim, value) in expected.as_object().unwrap() {
            assert_eq!(&id[claim], value, "{style} {sign} {claim}: {id:#}");
        }
        subjects.push(access["sub"].clone());
    }
    subjects.dedup();
    assert_eq!(subjects.len(), 3, "three connections are three identity providers");
}

#[tokio::test(flavor = "multi_thread")]
async fn entra_style_attributes_become_claims() {
    let expected = json!({"email": USER, "email_verified": true, "name": "Alice Example", "given_name": "Alice",
        "family_name": "Example", "groups": ["g-1", "g-2"]});
    style_signs_in("entra", "entra", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn auth0_style_attributes_become_claims() {
    let expected = json!({"email": USER, "email_verified": true, "name": "Alice Example"});
    style_signs_in("auth0", "auth0", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn okta_style_attributes_become_claims() {
    let expected = json!({"email": USER, "given_name": "Alice", "family_name": "Example", "groups": ["Everyone", "eng"]});
    style_signs_in("okta", "okta", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adfs_style_attributes_become_claims() {
    let expected = json!({"email": USER, "groups": ["Domain Users"]});
    style_signs_in("adfs", "adfs", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shibboleth_style_attributes_become_claims() {
    let expected = json!({"email": USER, "given_name": "Alice", "family_name": "Example"});
    style_signs_in("shib", "shibboleth", &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_assertion_is_read_where_the_connection_turned_it_on() {
    for variant in [
        "style=okta,encrypt=aes-256-gcm,sign=assertion",
        "style=okta,encrypt=aes-256-gcm,sign=response",
        "style=okta,encrypt=aes-128-cbc,sign=both",
    ] {
        let on = json!({"vendor": "okta", "options": {"encrypt_assertions": true}});
        let Some((scene, _)) = at_pysaml2(variant, &on).await else { return };

        let id = log_in(&scene).await;

        assert_eq!(id["email"], USER, "{variant}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn triple_des_is_refused() {
    let on = json!({"vendor": "okta", "options": {"encrypt_assertions": true}});
    let Some((scene, _)) = at_pysaml2("style=okta,encrypt=des-192", &on).await else { return };

    let landing = scene.start(&mut scene.browser(), "acme-saml").await;

    scene.refused(landing, 400, "saml_content_cipher_refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_certificate_in_front_of_the_one_in_use_does_no_harm() {
    let Some((scene, _)) = at_pysaml2("style=okta,two=1", &json!({"vendor": "okta"})).await else {
        return;
    };

    log_in(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_provider_with_the_post_binding_only_is_asked_by_a_form() {
    let Some((scene, _)) = at_pysaml2("style=okta,sso=post", &json!({"vendor": "okta"})).await
    else {
        return;
    };
    let mut browser = scene.browser();

    let asked = browser.get(&scene.authorize(&[("connection", "acme-saml")])).await;

    assert_eq!(asked.status, 200);
    let form = asked.form().unwrap();
    assert!(form.field("SAMLRequest").is_some(), "{}", asked.body);
    assert!(asked.body.contains("<button"), "there is a visible button");
    assert!(asked.header("content-security-policy").contains("form-action"));
    let landing = browser.submit(form).await;
    scene.tokens(landing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_signed_where_the_connection_says_so() {
    for variant in ["style=okta", "style=okta,sso=post"] {
        let signed = json!({"vendor": "okta", "options": {"sign_requests": true}});
        let Some((scene, _)) = at_pysaml2(variant, &signed).await else { return };

        log_in(&scene).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_as_name_id_identifies_within_the_connection() {
    let Some((scene, _)) = at_pysaml2("style=okta,nameid=email", &json!({"vendor": "okta"})).await
    else {
        return;
    };

    let first = log_in(&scene).await;
    let second = log_in(&scene).await;

    assert_eq!(first["sub"], second["sub"]);
    let user =
        scene.app.admin.get(&format!("/users/{}", first["sub"].as_str().unwrap())).await.json;
    assert!(user["identities"][0]["subject"].as_str().unwrap().contains(USER), "{user:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_name_id_identifies_nobody() {
    let Some((scene, _)) =
        at_pysaml2("style=shib,nameid=transient", &json!({"vendor": "shibboleth"})).await
    else {
        return;
    };

    let landing = scene.start(&mut scene.browser(), "acme-saml").await;

    let trace = scene.refused(landing, 400, "saml_subject_transient").await;
    let fixes: Vec<&str> =
        trace["checks"].as_array().unwrap().iter().filter_map(|c| c["fix"].as_str()).collect();
    assert_eq!(fixes.len(), 1, "{trace:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_attribute_identifies_in_place_of_a_transient_name_id() {
    let attribute = json!({"vendor": "shibboleth", "options": {"subject_attribute": "urn:oid:1.3.6.1.4.1.5923.1.1.1.6"}});
    let Some((scene, _)) = at_pysaml2("style=shib,nameid=transient", &attribute).await else {
        return;
    };

    let first = log_in(&scene).await;
    let second = log_in(&scene).await;

    assert_eq!(first["sub"], second["sub"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sha1_is_refused_with_its_fix() {
    let Some((scene, _)) = at_pysaml2("style=okta,alg=sha1", &json!({"vendor": "okta"})).await
    else {
        return;
    };

    let landing = scene.start(&mut scene.browser(), "acme-saml").await;

    let trace = scene.refused(landing, 400, "saml_sha1_refused").await;
    let fix = |check: &Value| check["fix"].as_str().is_some_and(|fix| fix.contains("256"));
    assert!(trace["checks"].as_array().unwrap().iter().any(fix), "{trace:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sha1_is_taken_where_the_connection_allows_it() {
    let allowed = json!({"vendor": "okta", "options": {"allow_sha1": true}});
    let Some((scene, _)) = at_pysaml2("style=okta,alg=sha1", &allowed).await else { return };

    log_in(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_without_signature_is_refused() {
    let Some((scene, _)) = at_pysaml2("style=okta,sign=none", &json!({"vendor": "okta"})).await
    else {
        return;
    };

    let landing = scene.start(&mut scene.browser(), "acme-saml").await;

    scene.refused(landing, 400, "saml_signature_missing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_for_another_audience_is_refused_and_the_trace_says_both() {
    let Some((scene, _)) =
        at_pysaml2("style=okta,audience=urn:other", &json!({"vendor": "okta"})).await
    else {
        return;
    };

    let landing = scene.start(&mut scene.browser(), "acme-saml").await;

    let trace = scene.refused(landing, 400, "saml_audience_mismatch").await;
    let checks = trace["checks"].as_array().unwrap();
    let failed = checks.iter().find(|check| check["outcome"] == "failed").unwrap();
    assert_eq!(failed["expected"], scene.app.url("/saml/acme-saml/metadata"), "{failed:#}");
    assert_eq!(failed["received"], "urn:other", "{failed:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_identity_providers_own_error_is_told_apart() {
    for sign in ["response", "none"] {
        let variant = format!("style=okta,status=1,sign={sign}");
        let okta = json!({"vendor": "okta"});
        let Some((scene, _)) = at_pysaml2(&variant, &okta).await else { return };

        let landing = scene.start(&mut scene.browser(), "acme-saml").await;

        let trace = scene.refused(landing, 400, "saml_idp_error").await;
        assert!(trace.to_string().contains("AuthnFailed"), "{trace:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_login_is_asked_for_and_believed() {
    let okta = json!({"vendor": "okta"});
    let Some((scene, _)) = at_pysaml2("style=okta", &okta).await else { return };
    for changes in [[("prompt", "login")], [("max_age", "60")]] {
        let url = scene.authorize(&[&changes[..], &[("connection", "acme-saml")]].concat());

        let landing = scene.browser().open(&url).await;

        let (access, id) = scene.tokens(landing).await;
        assert!(id["auth_time"].is_i64(), "{changes:?} {id:#}");
        assert_eq!(access["auth_time"], id["auth_time"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_nobody_asked_for_is_refused() {
    let Some((scene, idp)) = at_pysaml2("style=okta", &json!({"vendor": "okta"})).await else {
        return;
    };

    let landing = scene.browser().open(&initiated(&scene, idp)).await;

    scene.refused(landing, 400, "saml_unsolicited").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_the_identity_provider_started_is_started_again_at_the_app() {
    let on = json!({"clients": ["portal"], "vendor": "okta", "options": {"idp_initiated": {"enabled": true}}});
    let Some(idp) = peers::pysaml2().await else { return };
    // older than the epoch of the session store, an assertion without a login could be a replay
    let scene = Scene::set_up(TimeDelta::seconds(120)).await;
    scene.saml_at(idp, "acme-saml", "style=okta", &on).await;
    let start = format!("{REDIRECT_URI}/start");
    scene.app.admin.change("/clients/portal", &json!({"initiate_login_uri": start})).await;

    let mut browser = scene.browser();
    let landing = browser.open(&initiated(&scene, idp)).await;

    let Landing::Client(answer) = landing else {
        panic!("{}", scene.explain(&landing.page()).await)
    };
    assert!(scene.app.admin.get("/users").await.json["items"].as_array().unwrap().is_empty());
    assert!(answer.contains(&("iss".to_owned(), scene.app.issuer.clone())), "{answer:?}");
    assert!(
        !answer.iter().any(|(name, _)| name == "code"),
        "no code without a request: {answer:?}"
    );
}

fn initiated(scene: &Scene, idp: &Peer) -> String {
    let mut url = Url::parse(&idp.url("/init/style=okta")).unwrap();
    let entity_id = scene.app.url("/saml/acme-saml/metadata");
    url.query_pairs_mut().append_pair("sp", &entity_id).append_pair("relay", "somewhere");
    url.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connections_assertion_is_nothing_to_another() {
    let Some((scene, idp)) = at_pysaml2("style=okta", &json!({"vendor": "okta"})).await else {
        return;
    };
    scene.saml_at(idp, "acme-two", "style=okta", &json!({"vendor": "okta"})).await;
    let mut browser = scene.browser();
    let page = browser.get(&scene.authorize(&[("connection", "acme-saml")])).await;
    let Landing::Page(idp_page) = browser.follow(page).await else { panic!("at the client") };
    let mut form = idp_page.form().unwrap();

    form.action = Url::parse(&scene.app.url("/saml/acme-two/acs")).unwrap();
    let landing = browser.submit(form.clone()).await;

    scene.refused(landing, 400, "login_other_connection").await;
    form.action = Url::parse(&scene.app.url("/saml/acme-saml/acs")).unwrap();
    let landing = browser.submit(form).await;
    scene.tokens(landing).await;
}
