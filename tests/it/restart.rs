//! The broker stops and starts again in the middle: nothing acknowledged is lost, nothing becomes usable twice.

use testkit::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_login_outlives_a_restart_at_each_step() {
    let Some(mut scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let form = browser
        .open_to_form(&scene.authorize(&[("connection", "acme-saml")]))
        .await
        .form()
        .unwrap();

    scene.app.restart().await;
    let parked = browser.send_form(&form).await;
    assert_eq!(parked.status, 303, "{}", parked.text());
    scene.app.restart().await;
    let landing = browser.follow(parked).await;
    let code = scene.code(landing).await;
    scene.app.restart().await;
    let answer = scene.redeem(&code).await;

    assert_eq!(answer.status, 200, "{:#}", answer.json);
    let info = scene.userinfo(answer.json["access_token"].as_str().unwrap()).await;
    assert_eq!(info["email"], "alice@customer.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_stays_used() {
    let Some(mut scene) = Scene::with_login().await else { return };
    let mut browser = scene.browser();
    let form = browser
        .open_to_form(&scene.authorize(&[("connection", "acme-saml")]))
        .await
        .form()
        .unwrap();
    let landing = browser.submit(form.clone()).await;
    let code = scene.code(landing).await;
    assert_eq!(scene.redeem(&code).await.status, 200);

    scene.app.restart().await;

    let again = browser.submit(form).await;
    scene.refused(again, 400, "login_already_completed").await;
    let second = scene.redeem(&code).await;
    assert_eq!(
        (second.status.as_u16(), second.json["error"].as_str()),
        (400, Some("invalid_grant"))
    );
}
