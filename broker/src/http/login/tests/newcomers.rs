//! Who may come in for the first time: by policy, by invitation, by an announced change of identity provider.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::harness::Site;
use super::op::Op;
use crate::catalog::identity_migration::{MatchRule, Stored};
use crate::catalog::invitation::Invited;
use crate::catalog::{
    AuditFilter, Connection, Identity, IdentityMigration, Invitation, Jit, Newcomers,
    NormalizedClaims, User,
};
use crate::login::complete::finish;
use crate::login::fixtures::{name, now, request, saml};
use crate::login::{AuthorizationRequest, CompletedLogin, LoginError};

/// `acme-oidc` with this policy.
fn connection(op: &Op, jit: Jit) -> Connection {
    Connection { newcomers: Newcomers { jit }, ..op.connection() }
}

/// A whole login by `acme-oidc`: who it was, or the page's code.
async fn login(
    site: &Site,
    op: &Op,
    change: impl FnOnce(&mut Value),
) -> Result<CompletedLogin, &'static str> {
    let connection = Some("acme-oidc".to_owned());
    log_in(site, op, AuthorizationRequest { connection, ..request() }, change).await
}

async fn log_in(
    site: &Site,
    op: &Op,
    request: AuthorizationRequest,
    change: impl FnOnce(&mut Value),
) -> Result<CompletedLogin, &'static str> {
    let (transaction, cookie, url) = site.sent(request).await;
    let nonce = url.query_pairs().find(|(n, _)| n == "nonce").unwrap().1.into_owned();
    op.will_say(&nonce, change);
    let path = format!("/callback/acme-oidc?code=c&state={transaction}");
    let parked = site.get(&path, &[("cookie", &site.cookie(&cookie))]).await;
    assert_eq!(parked.status, 303, "{}", parked.body);
    match finish(site.app(), &cookie.browser(), &transaction).await {
        Ok(login) => Ok(login),
        Err(LoginError::Page(page)) => {
            assert_eq!(page.status, 403);
            Err(page.code)
        }
        Err(LoginError::ToClient(error)) => Err(error.error),
    }
}

fn noted(login: &CompletedLogin, code: &str) -> bool {
    login.trail.checks.iter().any(|check| check.code == code)
}

fn identity(connection: &str, issuer: &str, subject: &str) -> Identity {
    let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
    Identity { connection: name(connection), issuer, subject }
}

/// A user of `acme-saml` whose address is verified there.
async fn old_user(site: &Site, id: &str, subject: &str, email: &str) -> User {
    let claims = NormalizedClaims {
        email: Some(email.to_owned()),
        email_verified: Some(true),
        ..NormalizedClaims::default()
    };
    let user = User {
        id: id.to_owned(),
        claims,
        claims_from: Some(name("acme-saml")),
        claims_elsewhere: BTreeMap::new(),
        identities: vec![identity("acme-saml", "https://idp.example", subject)],
        organizations: vec![name("acme")],
        blocked: false,
        signed_out_at: None,
        created_at: now(),
        updated_at: now(),
    };
    site.app().catalog.insert(&user).await.unwrap();
    user
}

async fn invite(site: &Site, whom: Invited) -> Invitation {
    let invitation = Invitation {
        id: "inv_1".to_owned(),
        organization: name("acme"),
        key: whom.key(),
        whom,
        expires_at: now() + TimeDelta::minutes(10),
        accepted: None,
        created_at: now(),
        updated_at: now(),
    };
    site.app().catalog.insert(&invitation).await.unwrap();
    invitation
}

/// From `acme-saml` to `acme-oidc`, for ten minutes.
async fn announce(site: &Site, stored: Stored, attribute: Option<&str>) {
    let migration = IdentityMigration {
        id: "mig_1".to_owned(),
        connection: name("acme-oidc"),
        from_connection: name("acme-saml"),
        organization: name("acme"),
        rule: MatchRule { stored, attribute: attribute.map(str::to_owned) },
        ends_at: now() + TimeDelta::minutes(10),
        created_at: now(),
        updated_at: now(),
    };
    site.app().catalog.insert(&migration).await.unwrap();
}

async fn users(site: &Site) -> usize {
    site.app().catalog.list::<User>(200, None).await.unwrap().items.len()
}

#[actix_web::test]
async fn existing_only_lets_in_whom_an_admin_made() {
    let op = Op::start().await;
    let site = Site::with(&[connection(&op, Jit::ExistingOnly)]).await;

    assert_eq!(login(&site, &op, |_| ()).await.unwrap_err(), "user_unknown");
    assert_eq!(users(&site).await, 0, "whoever is barred leaves no user behind");

    let mut user = old_template();
    user.identities = vec![identity("acme-oidc", &op.issuer, "u-1")];
    site.app().catalog.insert(&user).await.unwrap();
    assert_eq!(login(&site, &op, |_| ()).await.unwrap().user.id, "usr_made");
    site.running.stop().await;
    op.stop().await;
}

fn old_template() -> User {
    User {
        id: "usr_made".to_owned(),
        claims: NormalizedClaims::default(),
        claims_from: None,
        claims_elsewhere: BTreeMap::new(),
        identities: Vec::new(),
        organizations: Vec::new(),
        blocked: false,
        signed_out_at: None,
        created_at: now(),
        updated_at: now(),
    }
}

#[actix_web::test]
async fn an_invitation_lets_one_person_in_once() {
    let op = Op::start().await;
    let site = Site::with(&[connection(&op, Jit::Invitation)]).await;
    assert_eq!(login(&site, &op, |_| ()).await.unwrap_err(), "user_not_invited");
    invite(&site, Invited::Email("Alice@acme.example".to_owned())).await;

    let unverified = login(&site, &op, |claims| claims["email_verified"] = json!(false)).await;
    assert_eq!(unverified.unwrap_err(), "user_not_invited");
    let other = login(&site, &op, |claims| claims["email"] = json!("bob@acme.example")).await;
    assert_eq!(other.unwrap_err(), "user_not_invited");
    let alice = login(&site, &op, |_| ()).await.unwrap();
    assert!(noted(&alice, "invitation_accepted"));

    let accepted = site.app().catalog.get::<Invitation>("inv_1").await.unwrap().unwrap();
    assert_eq!(accepted.accepted.as_ref().unwrap().user_id, alice.user.id);
    let namesake = login(&site, &op, |claims| claims["sub"] = json!("u-2")).await;
    assert_eq!(namesake.unwrap_err(), "user_not_invited", "it was used");
    assert_eq!(login(&site, &op, |_| ()).await.unwrap().user.id, alice.user.id);
    let filter = AuditFilter { object: Some("inv_1".to_owned()), ..AuditFilter::default() };
    let entries = site.app().catalog.list_audit(&filter, 10, None).await.unwrap().items;
    assert_eq!(entries[0].actor.name, alice.user.id);

    site.app().catalog.delete::<User>(&alice.user.id, None).await.unwrap();
    site.app().catalog.erase_traces_of(&alice.user.id).await.unwrap();
    assert!(site.app().catalog.get::<Invitation>("inv_1").await.unwrap().is_none());
    let entries = site.app().catalog.list_audit(&filter, 10, None).await.unwrap().items;
    assert_eq!((entries.len(), &entries[0].before, &entries[0].after), (1, &None, &None));
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn an_invitation_ends_at_its_time() {
    let op = Op::start().await;
    let site = Site::with(&[connection(&op, Jit::Invitation)]).await;
    let whom = Invited::Identity(identity("acme-oidc", &op.issuer, "u-1"));
    let invitation = invite(&site, whom).await;

    let second = TimeDelta::seconds(1);
    assert!(invitation.is_open(invitation.expires_at - second));
    assert!(!invitation.is_open(invitation.expires_at));
    assert!(login(&site, &op, |_| ()).await.is_ok());
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn an_invitation_brings_membership_on_a_shared_connection() {
    let op = Op::start().await;
    let shared =
        Connection { organization: None, domains: Vec::new(), ..connection(&op, Jit::Create) };
    let site = Site::with(&[shared]).await;
    let to_acme = || AuthorizationRequest {
        connection: Some("acme-oidc".to_owned()),
        organization: Some("acme".to_owned()),
        ..request()
    };
    let stranger = log_in(&site, &op, to_acme(), |_| ()).await;
    assert_eq!(stranger.unwrap_err(), "organization_not_a_member");
    invite(&site, Invited::Identity(identity("acme-oidc", &op.issuer, "u-1"))).await;

    let first = log_in(&site, &op, to_acme(), |_| ()).await.unwrap();
    let second = login(&site, &op, |_| ()).await.unwrap();

    assert!(noted(&first, "invitation_accepted") && !noted(&second, "invitation_accepted"));
    assert_eq!(first.user.organizations, [name("acme")]);
    assert_eq!(second.organization.unwrap().name, name("acme"));
    let other = log_in(&site, &op, to_acme(), |claims| claims["sub"] = json!("u-2")).await;
    assert_eq!(other.unwrap_err(), "organization_not_a_member");
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn the_subject_survives_a_change_of_identity_provider() {
    let op = Op::start().await;
    let site = Site::with(&[saml(), connection(&op, Jit::ExistingOnly)]).await;
    let ada = old_user(&site, "usr_ada", "o-1", "Alice@acme.example").await;
    announce(&site, Stored::Email, None).await;

    let moved = login(&site, &op, |_| ()).await.unwrap();
    let again = login(&site, &op, |_| ()).await.unwrap();

    assert_eq!((&moved.user.id, &again.user.id), (&ada.id, &ada.id));
    assert!(noted(&moved, "identity_migrated") && !noted(&again, "identity_migrated"));
    assert_eq!(moved.user.identities.len(), 2, "the old identity stays");
    let other = login(&site, &op, |claims| claims["sub"] = json!("u-2")).await;
    assert_eq!(other.unwrap_err(), "user_ambiguous", "a second account of the same address");
    let bob = login(&site, &op, |claims| {
        (claims["sub"], claims["email"]) = (json!("u-3"), json!("bob@acme.example"));
    });
    assert_eq!(bob.await.unwrap_err(), "user_unknown", "who is not recognized: as the policy says");
    let filter = AuditFilter { object: Some(ada.id.clone()), ..AuditFilter::default() };
    let entries = site.app().catalog.list_audit(&filter, 10, None).await.unwrap().items;
    assert_eq!((entries.len(), entries[0].actor.name.as_str()), (1, "usr_ada"));
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn who_comes_or_changes_after_the_announcement_is_recognized_too() {
    let op = Op::start().await;
    let site = Site::with(&[saml(), connection(&op, Jit::Create)]).await;
    announce(&site, Stored::Email, None).await;
    let ada = old_user(&site, "usr_ada", "o-1", "old@acme.example").await;
    let renamed =
        NormalizedClaims { email: Some("alice@acme.example".to_owned()), ..ada.claims.clone() };
    site.app().catalog.update(&User { claims: renamed, ..ada }, None).await.unwrap();

    let moved = login(&site, &op, |_| ()).await.unwrap();
    assert_eq!(moved.user.id, "usr_ada");

    old_user(&site, "usr_b1", "o-2", "bob@acme.example").await;
    old_user(&site, "usr_b2", "o-3", "bob@acme.example").await;
    let bob = login(&site, &op, |claims| {
        (claims["sub"], claims["email"]) = (json!("u-2"), json!("bob@acme.example"));
    });
    assert_eq!(bob.await.unwrap_err(), "user_ambiguous");
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn an_unverified_address_and_an_ended_migration_recognize_nobody() {
    let op = Op::start().await;
    let site = Site::with(&[saml(), connection(&op, Jit::Create)]).await;
    old_user(&site, "usr_ada", "o-1", "alice@acme.example").await;
    announce(&site, Stored::Email, None).await;

    let unverified = login(&site, &op, |claims| claims["email_verified"] = json!(false)).await;
    assert_ne!(unverified.unwrap().user.id, "usr_ada");

    let found = site.app().catalog.get::<IdentityMigration>("mig_1").await.unwrap().unwrap();
    let ended = IdentityMigration { ends_at: now(), ..(*found.object).clone() };
    assert!(!ended.is_open(now()) && ended.is_open(now() - TimeDelta::seconds(1)));
    site.app().catalog.update(&ended, None).await.unwrap();
    let late = login(&site, &op, |claims| claims["sub"] = json!("u-2")).await;
    assert_ne!(late.unwrap().user.id, "usr_ada");
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn an_old_subject_is_recognized_in_a_named_attribute() {
    let op = Op::start().await;
    let site = Site::with(&[saml(), connection(&op, Jit::ExistingOnly)]).await;
    let name_id = r#"["urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",null,null,"4711"]"#;
    old_user(&site, "usr_ada", name_id, "ada@acme.example").await;
    announce(&site, Stored::Subject, Some("employee_number")).await;

    let number = |value: Value| move |claims: &mut Value| claims["employee_number"] = value;
    let several = login(&site, &op, number(json!(["4711", "4712"]))).await;
    assert_eq!(several.unwrap_err(), "user_unknown", "of several values none is it");
    let moved = login(&site, &op, number(json!("4711"))).await;
    assert_eq!(moved.unwrap().user.id, "usr_ada");
    site.running.stop().await;
    op.stop().await;
}

#[actix_web::test]
async fn a_blocked_user_stays_blocked_at_the_new_connection() {
    let op = Op::start().await;
    let site = Site::with(&[saml(), connection(&op, Jit::Create)]).await;
    let ada = old_user(&site, "usr_ada", "o-1", "alice@acme.example").await;
    site.app().catalog.update(&User { blocked: true, ..ada }, None).await.unwrap();
    announce(&site, Stored::Email, None).await;

    assert_eq!(login(&site, &op, |_| ()).await.unwrap_err(), "user_blocked");
    assert_eq!(users(&site).await, 1, "nobody comes back as somebody new");
    site.running.stop().await;
    op.stop().await;
}
