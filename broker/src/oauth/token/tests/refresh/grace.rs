//! What comes back when a refresh token is used again (RULES 27).

use super::*;

/// RULES 27.
#[actix_web::test]
async fn within_the_grace_the_same_successor_comes_back_three_times() {
    let broker = Broker::start().await;
    let (grant, token) = begun(&broker).await;
    let successor = next(&broker, &token).await.unwrap();

    for second in [0, 4, 5] {
        broker.clock.advance(second);
        assert_eq!(next(&broker, &token).await.as_ref(), Ok(&successor));
    }
    assert_eq!(next(&broker, &token).await, Err("invalid_grant"));

    assert!(!is_revoked(&broker, &grant.family).await, "nobody has used the successor");
    assert_eq!(traced(&broker).await, ["refresh_token_repeated"; 3]);
    assert!(next(&broker, &successor).await.is_ok());
}

#[actix_web::test]
async fn the_grace_is_timed_from_the_first_rotation() {
    let broker = Broker::start().await;
    for (seconds, again) in [(9, true), (10, false)] {
        let (grant, token) = begun(&broker).await;
        let successor = next(&broker, &token).await.unwrap();
        broker.clock.advance(seconds - 1);
        assert_eq!(next(&broker, &token).await.as_ref(), Ok(&successor));
        broker.clock.advance(1);

        assert_eq!(next(&broker, &token).await.is_ok(), again, "{seconds}");

        assert_eq!(is_revoked(&broker, &grant.family).await, !again);
        assert_eq!(next(&broker, &successor).await.is_ok(), again);
    }
}

/// Who repeats a request asks for the same: everything else is not a lost answer.
#[actix_web::test]
async fn another_request_than_the_first_gets_no_grace() {
    let broker = Broker::start().await;
    let (grant, token) = begun(&broker).await;
    let narrow = with(refreshing(&token), "scope", Some("openid read"));
    let successor = web(&broker, &narrow).await.unwrap();

    assert_eq!(next(&broker, &token).await, Err("invalid_grant"));
    broker
        .change::<Client>(WEB, |c| {
            c.token_endpoint_auth_method = crate::catalog::ClientAuthMethod::ClientSecretPost
        })
        .await;
    let post = with(with(narrow.clone(), "client_id", Some(WEB)), "client_secret", Some(SECRET));
    assert_eq!(ask(&broker, None, &post).await, Err("invalid_grant"));
    broker
        .change::<Client>(WEB, |c| {
            c.token_endpoint_auth_method = crate::catalog::ClientAuthMethod::ClientSecretBasic
        })
        .await;

    assert_eq!(refresh_token(&web(&broker, &narrow).await.unwrap()), refresh_token(&successor));
    assert!(!is_revoked(&broker, &grant.family).await);
}

/// RFC 9700 §4.14.2; RULES 27.
#[actix_web::test]
async fn once_the_successor_was_used_its_predecessor_revokes_the_family() {
    let broker = Broker::start().await;
    let (grant, first) = begun(&broker).await;
    let second = next(&broker, &first).await.unwrap();
    let third = next(&broker, &second).await.unwrap();

    assert_eq!(next(&broker, &first).await, Err("invalid_grant"));

    assert!(is_revoked(&broker, &grant.family).await);
    for dead in [&first, &second, &third] {
        assert_eq!(next(&broker, dead).await, Err("invalid_grant"));
    }
    assert_eq!(traced(&broker).await, ["refresh_token_reused"]);
    let audit = broker.app().catalog.list_audit(&AuditFilter::default(), 10, None).await.unwrap();
    let entry = serde_json::to_value(&audit.items[0]).unwrap();
    assert_eq!(
        (&entry["action"], &entry["after"]["code"]),
        (&"turned_away".into(), &"refresh_token_reused".into())
    );
    assert_eq!(entry["actor"]["name"], broker.user().await.id);
}

#[actix_web::test]
async fn of_two_hundred_at_once_all_that_are_answered_get_one_successor() {
    let broker = Broker::start().await;
    let (grant, token) = begun(&broker).await;

    let fields = refreshing(&token);
    let outcomes = join_all((0..200).map(|_| web(&broker, &fields))).await;

    let mut successors: Vec<_> = outcomes.iter().flatten().map(refresh_token).collect();
    assert_eq!(successors.len(), 4, "the rotation, and three in its grace");
    successors.dedup();
    assert_eq!(successors.len(), 1);
    let refused = outcomes.iter().filter(|outcome| **outcome == Err("invalid_grant")).count();
    assert_eq!(refused, 196);
    assert!(!is_revoked(&broker, &grant.family).await);
    assert!(next(&broker, &successors[0]).await.is_ok());
}
