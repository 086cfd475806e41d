//! What becomes of a proof later.

use super::*;

#[actix_web::test]
async fn a_lost_record_warns_then_ends_the_proof_and_the_doctor_says_so() {
    let scene = Scene::start().await;
    scene.prove("acme", "acme.example").await;
    scene.claim("acme", "*.acme.example").await;
    let now = scene.api.app().now();
    scene.round(now).await;
    assert_eq!(scene.domain("acme", "acme.example").await["lost_at"], Value::Null);
    assert!(scene.doctor().await.is_empty());

    scene.dns.set(RECORD, Says::Code(3));
    scene.round(now).await;

    let lost = scene.domain("acme", "acme.example").await;
    assert_eq!((&lost["verified"], &lost["lost_at"]), (&json!(true), &json!(now)));
    assert_eq!(lost["verified_until"], json!(now + proof::GRACE));
    assert_eq!(scene.doctor().await[0]["level"], "warning");
    let entry = &scene.api.get("/logs?object=acme").await.body["items"][0];
    assert_eq!(entry["actor"], json!({"kind": "schedule", "name": "domains"}));

    scene.dns.set(RECORD, Says::Code(2));
    scene.round(now + proof::GRACE + TimeDelta::days(1)).await;
    assert_eq!(
        scene.domain("acme", "acme.example").await["verified"],
        true,
        "silence ends nothing"
    );
    scene.dns.set(RECORD, Says::Code(3));
    scene.round(now + proof::GRACE - TimeDelta::seconds(1)).await;
    assert_eq!(scene.domain("acme", "acme.example").await["verified"], true);
    scene.round(now + proof::GRACE).await;

    for domain in ["acme.example", "*.acme.example"] {
        assert_eq!(scene.domain("acme", domain).await["verified"], false, "{domain}");
    }
    assert_eq!(scene.doctor().await[0]["level"], "wrong");
    let name = crate::catalog::DomainName::parse("acme.example").unwrap();
    let holder = scene.api.app().catalog.organization_holding(&name);
    assert!(holder.await.unwrap().is_none(), "so no address in it is verified");
    let anew = scene.prove("acme", "acme.example").await;
    assert_eq!((anew.status, &anew.body["lost_at"]), (200, &Value::Null));
    assert!(scene.doctor().await.is_empty());
    scene.api.stop().await;
}

#[actix_web::test]
async fn the_operators_word_needs_no_record_and_other_patches_leave_proofs_alone() {
    let scene = Scene::start().await;
    scene.prove("acme", "acme.example").await;
    let word =
        |verified: bool| json!({"domains": [{"name": "acme.example", "verified": verified}]});

    scene.api.patch("/organizations/acme", json!({"display_name": "ACME"})).await;
    scene.api.patch("/organizations/acme", word(true)).await;
    assert_eq!(scene.domain("acme", "acme.example").await["proof"], "dns");

    scene.api.patch("/organizations/acme", word(false)).await;
    assert_eq!(scene.domain("acme", "acme.example").await["challenge"], Value::Null);
    scene.api.patch("/organizations/acme", word(true)).await;
    assert_eq!(scene.domain("acme", "acme.example").await["proof"], "operator");
    scene.dns.set(RECORD, Says::Code(3));
    scene.round(scene.api.app().now()).await;
    assert_eq!(scene.domain("acme", "acme.example").await["lost_at"], Value::Null);
    scene.api.stop().await;
}

#[actix_web::test]
async fn what_dns_lost_comes_back_by_the_operators_explicit_word_only() {
    let scene = Scene::start().await;
    scene.prove("acme", "acme.example").await;
    scene.claim("acme", "*.acme.example").await;
    let before = scene.api.get("/organizations/acme").await.body["domains"].clone();
    let word = |proof: Value| {
        let name = ["acme.example", "*.acme.example"];
        json!({"domains": name.map(|name| json!({"name": name, "verified": true, "proof": proof}))})
    };
    let verified = async || {
        let base = scene.domain("acme", "acme.example").await["verified"].clone();
        (base, scene.domain("acme", "*.acme.example").await["verified"].clone())
    };
    scene.dns.set(RECORD, Says::Code(3));
    let now = scene.api.app().now();
    scene.round(now).await;
    scene.round(now + proof::GRACE).await;

    for stale in [json!({"domains": before.clone()}), word(json!("dns")), word(Value::Null)] {
        let answer = scene.api.patch("/organizations/acme", stale.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(verified().await, (json!(false), json!(false)), "{stale}");
    }
    let explicit = scene.api.patch("/organizations/acme", word(json!("operator"))).await;
    assert_eq!(explicit.status, 200, "{}", explicit.body);
    assert_eq!(verified().await, (json!(true), json!(true)));
    scene.api.patch("/organizations/acme", json!({"domains": []})).await;
    scene.api.patch("/organizations/acme", json!({"domains": before})).await;
    assert_eq!(verified().await, (json!(false), json!(false)), "given up, then an old list");
    scene.api.stop().await;
}

#[actix_web::test]
async fn one_node_makes_a_round() {
    let scene = Scene::start().await;
    scene.prove("acme", "acme.example").await;
    scene.dns.set(RECORD, Says::Code(3));
    // the first of this time was made at the start
    let next = scene.api.app().now() + TimeDelta::hours(12);

    recheck::round_if_due(scene.api.app(), next).await.unwrap();
    assert_eq!(scene.domain("acme", "acme.example").await["lost_at"], json!(next));
    scene.dns.text(
        RECORD,
        scene.domain("acme", "acme.example").await["challenge"]["value"].as_str().unwrap(),
    );
    recheck::round_if_due(scene.api.app(), next).await.unwrap();
    assert_eq!(
        scene.domain("acme", "acme.example").await["lost_at"],
        json!(next),
        "was made already"
    );
    recheck::round_if_due(scene.api.app(), next + TimeDelta::hours(6)).await.unwrap();
    assert_eq!(scene.domain("acme", "acme.example").await["lost_at"], Value::Null);
    scene.api.stop().await;
}
