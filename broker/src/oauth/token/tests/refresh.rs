//! The refresh token grant (RFC 6749 §6, RFC 9700 §4.14.2; RULES 27).

mod grace;
mod replay;

use super::*;
use crate::catalog::{Actor, ActorKind, AuditFilter, Author, RefreshTokens};
use crate::oauth::code::AuthorizationGrant;
use crate::oauth::fixtures::PORTAL;
use crate::oauth::refresh::RefreshFamily;

fn refreshing(token: &str) -> Fields<'_> {
    vec![("grant_type", "refresh_token"), ("refresh_token", token)]
}

fn refresh_token(tokens: &Value) -> String {
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

/// A login of [`WEB`]: the grant, and the first refresh token.
async fn begun(broker: &Broker) -> (AuthorizationGrant, String) {
    let grant = broker.offline_grant().await;
    let code = broker.code(&grant).await;
    let tokens = web(broker, &redemption(&code)).await.unwrap();
    (grant, refresh_token(&tokens))
}

/// The next token.
async fn next(broker: &Broker, token: &str) -> Result<String, &'static str> {
    web(broker, &refreshing(token)).await.map(|tokens| refresh_token(&tokens))
}

async fn is_revoked(broker: &Broker, family: &str) -> bool {
    code::is_revoked(&broker.app().records, family, broker.now()).await.unwrap()
}

/// Codes of all login traces, the latest first; of succeeded ones the checks'.
async fn traced(broker: &Broker) -> Vec<String> {
    let traces = broker.app().catalog.list_traces(200, None).await.unwrap().items;
    let of = |trace: crate::catalog::LoginTrace| {
        trace.code.unwrap_or_else(|| trace.checks[0].code.clone())
    };
    traces.into_iter().map(of).collect()
}

#[actix_web::test]
async fn offline_access_brings_a_token_that_is_rotated_at_each_use() {
    let broker = Broker::start().await;
    let grant = broker.offline_grant().await;
    let code = broker.code(&grant).await;

    let first = web(&broker, &redemption(&code)).await.unwrap();
    let second = web(&broker, &refreshing(&refresh_token(&first))).await.unwrap();
    let third = web(&broker, &refreshing(&refresh_token(&second))).await.unwrap();

    assert_eq!(first["scope"], "openid email offline_access read write");
    for refreshed in [&second, &third] {
        assert_eq!(refreshed["scope"], first["scope"]);
        assert_eq!(
            (&refreshed["token_type"], &refreshed["expires_in"]),
            (&first["token_type"], &first["expires_in"])
        );
        assert!(refreshed["access_token"].is_string() && refreshed["id_token"].is_string());
    }
    let all = [&first, &second, &third].map(refresh_token);
    assert!(all[0] != all[1] && all[1] != all[2], "each is new");
    assert!(all.iter().all(|token| token.starts_with(&format!("{}.", grant.family))));
}

/// OIDC Core §12.2.
#[actix_web::test]
async fn a_refreshed_id_token_is_of_the_same_login_and_has_no_nonce() {
    let broker = Broker::start().await;
    let code = broker.code(&broker.offline_grant().await).await;
    let first = web(&broker, &redemption(&code)).await.unwrap();
    broker.clock.advance(100);

    let second = web(&broker, &refreshing(&refresh_token(&first))).await.unwrap();

    let [old, new] = [&first, &second].map(|tokens| {
        let token =
            homerealm_certs::UnverifiedJws::parse(tokens["id_token"].as_str().unwrap()).unwrap();
        serde_json::from_slice::<Value>(token.unverified_payload()).unwrap()
    });
    for same in ["iss", "sub", "aud", "auth_time", "acr", "amr", "email"] {
        assert_eq!(old[same], new[same], "{same}");
    }
    assert_eq!((&old["nonce"], new.get("nonce")), (&"n-1".into(), None));
    assert_eq!(new["iat"].as_i64().unwrap() - old["iat"].as_i64().unwrap(), 100);
}

#[actix_web::test]
async fn without_the_scope_or_the_grant_type_there_is_none() {
    let broker = Broker::start().await;
    let plain = web(&broker, &redemption(&broker.code(&broker.grant().await).await)).await.unwrap();
    assert_eq!(plain.get("refresh_token"), None);

    let (_, token) = begun(&broker).await;
    broker.change::<Client>(WEB, |c| c.grant_types.retain(|g| *g != GrantType::RefreshToken)).await;
    let code = broker.code(&broker.offline_grant().await).await;
    assert_eq!(web(&broker, &redemption(&code)).await.unwrap().get("refresh_token"), None);
    assert_eq!(next(&broker, &token).await, Err("unauthorized_client"));
}

#[actix_web::test]
async fn what_is_not_a_token_of_this_client_changes_nothing() {
    let broker = Broker::start().await;
    let (grant, token) = begun(&broker).await;
    let (unmarked, _) = token.rsplit_once('.').unwrap();
    let made_up = format!("{}.{}.{}", grant.family, "A".repeat(43), "A".repeat(43));

    assert_eq!(web(&broker, &vec![("grant_type", "refresh_token")]).await, Err("invalid_request"));
    for bad in ["nonsense", unmarked, &made_up, &format!("{token}x"), "fam_unknown.a.b"] {
        assert_eq!(next(&broker, bad).await, Err("invalid_grant"), "{bad}");
    }
    assert_eq!(ask(&broker, Some("app_other"), &refreshing(&token)).await, Err("invalid_grant"));
    let spa = with(refreshing(&token), "client_id", Some(SPA));
    assert_eq!(ask(&broker, None, &spa).await, Err("invalid_grant"));

    assert!(!is_revoked(&broker, &grant.family).await);
    assert!(next(&broker, &token).await.is_ok());
}

#[actix_web::test]
async fn a_family_ends_when_it_is_not_used_and_at_its_end_however_it_is_used() {
    let broker = Broker::start().await;
    let lifetimes = RefreshTokens {
        refresh_token_lifetime_seconds: Some(250),
        refresh_token_idle_lifetime_seconds: Some(100),
    };
    broker.change::<Client>(WEB, |client| client.refresh_tokens = lifetimes).await;
    let (_, unused) = begun(&broker).await;
    let (_, mut used) = begun(&broker).await;

    broker.clock.advance(99);
    used = next(&broker, &used).await.unwrap();
    broker.clock.advance(1);
    assert_eq!(next(&broker, &unused).await, Err("invalid_grant"));
    broker.clock.advance(98);
    used = next(&broker, &used).await.unwrap();
    broker.clock.advance(51);
    used = next(&broker, &used).await.unwrap();
    broker.clock.advance(1);
    assert_eq!(next(&broker, &used).await, Err("invalid_grant"));
}

#[actix_web::test]
async fn by_default_a_family_lives_thirty_days_fifteen_without_use() {
    let broker = Broker::start().await;
    let (grant, _) = begun(&broker).await;

    let found = broker.app().records.get::<RefreshFamily>(&grant.family, broker.now()).await;
    let family = found.unwrap().unwrap().record;

    assert_eq!((family.ends_at - broker.now()).num_days(), 30);
    assert_eq!((family.expires_at(broker.now()) - broker.now()).num_days(), 15);
}

/// RFC 6749 §6: less is possible, more is not; and the next refresh has everything again.
#[actix_web::test]
async fn scopes_can_be_fewer_and_never_more() {
    let broker = Broker::start().await;
    let (_, token) = begun(&broker).await;
    let asking = |token: &str, scope: &'static str| {
        let token = token.to_owned();
        let broker = &broker;
        async move { web(broker, &with(refreshing(&token), "scope", Some(scope))).await }
    };

    for more in ["openid read admin", "openid profile read", "admin"] {
        assert_eq!(asking(&token, more).await, Err("invalid_scope"), "{more}");
    }
    assert_eq!(asking(&token, "a  b").await, Err("invalid_scope"));
    let fewer = asking(&token, "read").await.unwrap();
    assert_eq!((&fewer["scope"], fewer.get("id_token")), (&"read".into(), None));
    let all = web(&broker, &refreshing(&refresh_token(&fewer))).await.unwrap();
    assert_eq!(all["scope"], "openid email offline_access read write");

    let granted = broker.app().catalog.grant(WEB, API, SubjectType::User).await.unwrap().unwrap();
    broker.change::<ClientGrant>(&granted.id, |grant| grant.scopes = texts(&["read"])).await;
    let less = web(&broker, &refreshing(&refresh_token(&all))).await.unwrap();
    assert_eq!(less["scope"], "openid email offline_access read");
}

#[actix_web::test]
async fn an_api_that_was_not_granted_is_no_target() {
    let broker = Broker::start().await;
    let (_, token) = begun(&broker).await;

    let other = with(refreshing(&token), "audience", Some("https://other.example"));
    assert_eq!(web(&broker, &other).await, Err("invalid_target"));
    let own = with(refreshing(&token), "resource", Some(API));
    assert!(web(&broker, &own).await.is_ok());
}

/// THREATS X7.
#[actix_web::test]
async fn what_was_disabled_meanwhile_refreshes_nothing_until_it_is_enabled_again() {
    let broker = Broker::start().await;
    let user = broker.user().await.id.clone();
    let (grant, token) = begun(&broker).await;
    let refused = async || assert_eq!(next(&broker, &token).await, Err("invalid_grant"));

    broker.change::<User>(&user, |user| user.blocked = true).await;
    refused().await;
    broker.change::<User>(&user, |user| user.blocked = false).await;
    broker.change::<Connection>("acme-oidc", |connection| connection.enabled = false).await;
    refused().await;
    broker.change::<Connection>("acme-oidc", |connection| connection.enabled = true).await;
    broker.change::<Organization>("acme", |organization| organization.enabled = false).await;
    refused().await;
    broker.change::<Organization>("acme", |organization| organization.enabled = true).await;
    broker.change::<Client>(WEB, |client| client.connections = Some(Vec::new())).await;
    refused().await;
    broker.change::<Client>(WEB, |client| client.connections = None).await;
    broker.change::<Client>(WEB, |client| client.enabled = false).await;
    assert_eq!(next(&broker, &token).await, Err("invalid_client"));
    broker.change::<Client>(WEB, |client| client.enabled = true).await;

    assert!(!is_revoked(&broker, &grant.family).await);
    assert!(next(&broker, &token).await.is_ok());
    let granted = broker.app().catalog.grant(WEB, API, SubjectType::User).await.unwrap().unwrap();
    broker.app().catalog.delete::<ClientGrant>(&granted.id, None).await.unwrap();
    refused().await;
}

/// As consent remembers it.
fn allowed_in_acme() -> Vec<String> {
    let of_api = [format!("acme {API} read"), format!("acme {API} ")];
    texts(&["acme - openid", "acme - offline_access", &of_api[0], &of_api[1]])
}

#[actix_web::test]
async fn a_third_party_client_refreshes_as_long_as_its_users_consent_stands() {
    let broker = Broker::start().await;
    let user = broker.user().await.id.clone();
    let mut grant = broker.offline_grant().await;
    grant.client_id = PORTAL.to_owned();
    grant.gives.as_mut().unwrap().access = access(&["openid", "offline_access", "read"]);
    let code = broker.code(&grant).await;
    let portal = async |fields: Fields<'_>| {
        ask(&broker, None, &with(fields, "client_id", Some(PORTAL))).await
    };
    let allowed = allowed_in_acme();
    broker.app().catalog.remember_consent(&user, PORTAL, &allowed, broker.now()).await.unwrap();

    let tokens = portal(redemption(&code)).await.unwrap();
    let tokens = portal(refreshing(&refresh_token(&tokens))).await.unwrap();

    assert_eq!(tokens["scope"], "openid offline_access read");
    // a code of another user: this one has allowed nothing, or not any more
    let mut of_another = grant.clone();
    let mut user = User { id: "usr_other".to_owned(), ..(*broker.user().await).clone() };
    user.identities[0].subject = "other".to_owned();
    broker.app().catalog.insert(&user).await.unwrap();
    of_another.gives.as_mut().unwrap().login.user_id = user.id;
    let code = broker.code(&of_another).await;
    assert_eq!(portal(redemption(&code)).await, Err("invalid_grant"));
}

#[actix_web::test]
async fn a_consent_that_was_withdrawn_and_given_again_revives_no_refresh_token() {
    let broker = Broker::start().await;
    let user = broker.user().await.id.clone();
    let mut grant = broker.offline_grant().await;
    grant.client_id = PORTAL.to_owned();
    grant.gives.as_mut().unwrap().access = access(&["openid", "offline_access", "read"]);
    let catalog = &broker.app().catalog;
    let allowed = allowed_in_acme();
    catalog.remember_consent(&user, PORTAL, &allowed, broker.now()).await.unwrap();
    let portal = async |fields: Fields<'_>| {
        ask(&broker, None, &with(fields, "client_id", Some(PORTAL))).await
    };
    let tokens = portal(redemption(&broker.code(&grant).await)).await.unwrap();
    let author = Author {
        id: "aud_1".to_owned(),
        actor: Actor::new(ActorKind::Token, "bootstrap"),
        address: None,
        at: broker.now(),
    };

    catalog.audited(author).withdraw_consent(&user, PORTAL).await.unwrap();
    broker.clock.advance(1);
    catalog.remember_consent(&user, PORTAL, &allowed, broker.now()).await.unwrap();

    assert_eq!(portal(refreshing(&refresh_token(&tokens))).await, Err("invalid_grant"));
    assert!(is_revoked(&broker, &grant.family).await);
}

/// RULES 26: also where the family's record is not written yet.
#[actix_web::test]
async fn a_family_that_was_revoked_before_it_is_written_never_lives() {
    let broker = Broker::start().await;
    let grant = broker.offline_grant().await;
    let code = broker.code(&grant).await;
    code::revoke(&broker.app().records, &grant.family, broker.now()).await.unwrap();

    let token = refresh_token(&web(&broker, &redemption(&code)).await.unwrap());

    assert_eq!(next(&broker, &token).await, Err("invalid_grant"));
}

/// The mark outlives the last access token that the family could have given: thirty days after its end, and a minute.
#[actix_web::test]
async fn a_revoked_family_is_marked_no_longer_than_its_tokens_could_live() {
    let broker = Broker::start().await;
    let (grant, token) = begun(&broker).await;
    let records = &broker.app().records;
    let found = records.get::<RefreshFamily>(&grant.family, broker.now()).await.unwrap();
    let life = (found.unwrap().record.ends_at - broker.now()).num_seconds();
    let presented = crate::oauth::refresh::RefreshToken::parse(&token).unwrap();

    crate::oauth::refresh::end(records, presented.family(), broker.now()).await.unwrap();
    // again, with nothing of it left: the end that was known stays
    crate::oauth::refresh::end(records, presented.family(), broker.now()).await.unwrap();

    broker.clock.advance(life + 30 * 86_400 + 59);
    assert!(is_revoked(&broker, &grant.family).await);
    broker.clock.advance(1);
    assert!(!is_revoked(&broker, &grant.family).await);
}

/// RFC 9449 §5.2: what was issued before, a thief could bind to a key of their own.
#[actix_web::test]
async fn a_public_client_that_binds_from_now_on_refreshes_nothing_unbound() {
    let broker = Broker::start().await;
    let holder = crate::oauth::fixtures::signing::Holder::new();
    let grant = AuthorizationGrant { client_id: SPA.to_owned(), ..broker.offline_grant().await };
    let code = broker.code(&grant).await;
    let redeemed = with(redemption(&code), "client_id", Some(SPA));
    let token = refresh_token(&ask(&broker, None, &redeemed).await.unwrap());
    broker.change::<Client>(SPA, |c| c.requests.dpop_bound_access_tokens = true).await;
    let refresh = async |token: &str| {
        let fields = with(refreshing(token), "client_id", Some(SPA));
        let params = Params::parse(&form(&fields)).unwrap();
        let proof = holder.proof(&broker, PATH, &serde_json::json!({}));
        let proof = crate::oauth::dpop::ProofHeader::One(&proof);
        let sender = Sender { proof, certificate: None };
        let request = TokenRequest { authorization: None, sender, params: &params };
        let tokens = super::super::token(broker.app(), request, broker.now()).await;
        tokens.map_err(|error| error.word())
    };

    assert_eq!(refresh(&token).await.unwrap_err(), "invalid_grant");

    broker.change::<Client>(SPA, |c| c.requests.dpop_bound_access_tokens = false).await;
    assert!(refresh(&token).await.is_ok());
}

#[actix_web::test]
async fn of_fifty_redemptions_with_refresh_tokens_none_keeps_one() {
    let broker = Broker::start().await;
    let grant = broker.offline_grant().await;
    let code = broker.code(&grant).await;
    let fields = redemption(&code);

    let outcomes = join_all((0..50).map(|_| web(&broker, &fields))).await;

    let won: Vec<_> = outcomes.iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert_eq!(next(&broker, &refresh_token(won[0])).await, Err("invalid_grant"));
}

#[actix_web::test]
async fn what_is_stored_gives_no_token() {
    let broker = Broker::start().await;
    let (grant, token) = begun(&broker).await;
    let successor = next(&broker, &token).await.unwrap();

    let found = broker.app().records.get::<RefreshFamily>(&grant.family, broker.now()).await;
    let record = serde_json::to_string(&found.unwrap().unwrap().record).unwrap();

    for token in [&token, &successor] {
        let secret = token.split('.').nth(1).unwrap();
        assert!(!record.contains(secret));
    }
    let shown = format!("{:?}", crate::oauth::refresh::RefreshToken::parse(&token).unwrap());
    assert_eq!(shown, format!("RefreshToken({})", grant.family));
}
