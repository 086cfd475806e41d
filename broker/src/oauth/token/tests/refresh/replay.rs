//! What a code that is used again ends.

use super::*;
use crate::catalog::Action;

/// RULES 26.
#[actix_web::test]
async fn a_code_replay_takes_the_refresh_token_back() {
    let broker = Broker::start().await;
    let grant = broker.offline_grant().await;
    let code = broker.code(&grant).await;
    let token = refresh_token(&web(&broker, &redemption(&code)).await.unwrap());
    let token = next(&broker, &token).await.unwrap();
    // the tombstone stays as long as the family can live
    broker.clock.advance(14 * 86_400);

    assert_eq!(web(&broker, &redemption(&code)).await, Err("invalid_grant"));

    assert!(is_revoked(&broker, &grant.family).await);
    assert_eq!(next(&broker, &token).await, Err("invalid_grant"));
    assert_eq!(traced(&broker).await, ["authorization_code_reused"]);
    for _ in 0..3 {
        assert_eq!(web(&broker, &redemption(&code)).await, Err("invalid_grant"));
    }
    let audit = catalog_audit(&broker).await;
    let turned_away = audit.iter().filter(|action| **action == Action::TurnedAway);
    assert_eq!(turned_away.count(), 1, "the same again proves nothing new");
}

async fn catalog_audit(broker: &Broker) -> Vec<Action> {
    let entries = broker.app().catalog.list_audit(&Default::default(), 200, None).await.unwrap();
    entries.items.into_iter().map(|entry| entry.action).collect()
}
