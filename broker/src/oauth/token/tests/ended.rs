//! What a user's sign-out, block and unlinking end (THREATS X7).

use super::*;
use crate::catalog::{Connection, Organization, User};
use crate::oauth::userinfo::{PresentedToken, UserInfoError, userinfo};

async fn is_taken(broker: &Broker, token: &str) -> bool {
    match userinfo(broker.app(), PresentedToken::bearer(token), broker.now()).await {
        Ok(_) => true,
        Err(UserInfoError::InvalidToken) => false,
        Err(other) => panic!("{other}"),
    }
}

/// A code and tokens of one login.
async fn issued(broker: &Broker) -> (String, Value) {
    let code = broker.code(&broker.grant().await).await;
    (code, broker.tokens().await.0)
}

async fn are_worthless(broker: &Broker, (code, tokens): &(String, Value)) {
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let refreshing = vec![("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(web(broker, &redemption(code)).await, Err("invalid_grant"));
    assert_eq!(web(broker, &refreshing).await, Err("invalid_grant"));
    assert!(!is_taken(broker, tokens["access_token"].as_str().unwrap()).await);
}

#[actix_web::test]
async fn a_sign_out_everywhere_ends_codes_and_tokens_and_not_the_next_login() {
    let broker = Broker::start().await;
    let before = issued(&broker).await;
    assert!(is_taken(&broker, before.1["access_token"].as_str().unwrap()).await);
    broker.clock.advance(1);

    let (id, now) = (broker.user().await.id.clone(), broker.now());
    broker.change::<User>(&id, |user| user.signed_out_at = Some(now)).await;

    are_worthless(&broker, &before).await;
    broker.clock.advance(1);
    let after = issued(&broker).await;
    assert!(is_taken(&broker, after.1["access_token"].as_str().unwrap()).await);
}

#[actix_web::test]
async fn unlinking_ends_what_came_by_that_connection() {
    let broker = Broker::start().await;
    let before = issued(&broker).await;
    let id = broker.user().await.id.clone();

    broker.change::<User>(&id, |user| user.identities.clear()).await;

    are_worthless(&broker, &before).await;
}

/// The connection is everybody's; the user belongs to the organization by membership and by the address's domain.
async fn shared() -> (Broker, String) {
    let broker = Broker::start().await;
    broker.change::<Connection>("acme-oidc", |connection| connection.organization = None).await;
    let id = broker.user().await.id.clone();
    (broker, id)
}

#[actix_web::test]
async fn on_a_shared_connection_membership_or_a_held_domain_keeps_a_login_and_neither_ends_it() {
    let (broker, id) = shared().await;
    let before = issued(&broker).await;
    let is_taken = async || is_taken(&broker, before.1["access_token"].as_str().unwrap()).await;

    broker.change::<User>(&id, |user| user.organizations.clear()).await;
    assert!(is_taken().await, "the address is of a domain that the organization holds");
    let lose = |organization: &mut Organization| organization.domains[0].verified = false;
    broker.change::<Organization>("acme", lose).await;
    assert!(!is_taken().await);
    let join = |user: &mut User| user.organizations = vec!["acme".to_owned().try_into().unwrap()];
    broker.change::<User>(&id, join).await;
    assert!(is_taken().await, "a member, whatever the address");

    broker.change::<User>(&id, |user| user.organizations.clear()).await;
    are_worthless(&broker, &before).await;
}

#[actix_web::test]
async fn deleting_ends_everything() {
    let broker = Broker::start().await;
    let before = issued(&broker).await;
    let id = broker.user().await.id.clone();

    broker.app().catalog.delete::<User>(&id, None).await.unwrap();

    are_worthless(&broker, &before).await;
}
