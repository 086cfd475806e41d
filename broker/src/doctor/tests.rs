//! The doctor at a broker with something wrong.

use chrono::TimeDelta;

use super::*;
use crate::catalog::ConnectionOptions;
use crate::http::login::tests::harness::Site;
use crate::http::login::tests::idp::Idp;
use crate::http::login::tests::op::Op;
use crate::login::fixtures::now;

fn found<'a>(findings: &'a [Finding], check: &str) -> Vec<&'a Finding> {
    findings.iter().filter(|f| f.check == check).collect()
}

#[test]
fn what_ends_is_noted_warned_of_and_called_wrong_in_time() {
    let level = |left: TimeDelta| ending(now() + left, now());
    let (days, second) = (TimeDelta::days, TimeDelta::seconds(1));

    assert_eq!(level(days(60) + second), None);
    assert_eq!(level(days(60)), Some(Level::Note));
    assert_eq!(level(days(30) + second), Some(Level::Note));
    assert_eq!(level(days(30)), Some(Level::Warning));
    assert_eq!(level(days(7) + second), Some(Level::Warning));
    assert_eq!(level(days(7)), Some(Level::Wrong));
    assert_eq!(level(-days(1)), Some(Level::Wrong));
}

#[actix_web::test]
async fn a_broker_on_a_developers_machine_is_told_what_to_change_before_others_use_it() {
    let site = Site::with(&[]).await;

    let findings = examine(&site.running.app, true).await.unwrap();

    for check in ["master_key_place", "bootstrap_token", "upstream_setting", "issuer_setting"] {
        assert_eq!(found(&findings, check).len(), 1, "{check}: {findings:?}");
    }
    assert!(findings.iter().all(|f| f.level != Level::Wrong), "{findings:?}");
    site.running.stop().await;
}

#[actix_web::test]
async fn an_op_that_answers_is_well_and_one_that_does_not_is_wrong() {
    let op = Op::start().await;
    let site = Site::with(&[op.connection()]).await;
    let findings = examine(&site.running.app, true).await.unwrap();
    assert!(found(&findings, "idp_unreachable").is_empty(), "{findings:?}");
    op.stop().await;

    let findings = examine(&site.running.app, true).await.unwrap();
    let [gone] = *found(&findings, "idp_unreachable") else { panic!("{findings:?}") };
    assert_eq!((gone.level, gone.object.as_deref()), (Level::Wrong, Some("connection acme-oidc")));
    assert!(
        examine(&site.running.app, false)
            .await
            .unwrap()
            .iter()
            .all(|f| f.check != "idp_unreachable")
    );
    site.running.stop().await;
}

#[actix_web::test]
async fn metadata_that_cannot_be_used_any_more_is_wrong() {
    let mut connection = Idp::new().connection();
    let ConnectionOptions::Saml(options) = &mut connection.options else { panic!("not SAML") };
    options.metadata_xml = "<x/>".to_owned();
    let site = Site::with(&[connection]).await;

    let findings = examine(&site.running.app, false).await.unwrap();

    let [broken] = *found(&findings, "idp_metadata") else { panic!("{findings:?}") };
    assert_eq!(broken.level, Level::Wrong);
    site.running.stop().await;
}
