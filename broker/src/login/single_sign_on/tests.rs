use chrono::TimeDelta;

use super::super::fixtures::{client, name, now, oidc, organization, request};
use super::*;
use crate::catalog::{Connection, Identity, NormalizedClaims};
use crate::login::request::{AnswerTo, WayThere};
use crate::login::session::fixtures::session;

/// Everything that the decision looks at; a test changes one thing of it.
struct Scene {
    session: SsoSession,
    request: AuthorizationRequest,
    standing: Option<Standing>,
    user: Option<User>,
    organization: Option<Organization>,
    connection: Option<Name>,
    asked_organization: Option<Name>,
    now: DateTime<Utc>,
}

/// A session of acme's, and an app of ours that asks for nothing special a minute later.
fn scene() -> Scene {
    let acme = organization("acme", &[("acme.example", true)]);
    let standing = Standing {
        client: Arc::new(client(ClientKind::FirstParty { organization: None })),
        connection: Arc::new(states(oidc(), &["mfa", "x"])),
        organization: Some(Arc::new(acme.clone())),
    };
    let session = session();
    Scene {
        user: Some(user(&session)),
        session,
        request: request(),
        standing: Some(standing),
        organization: Some(acme),
        connection: None,
        asked_organization: None,
        now: now() + TimeDelta::minutes(1),
    }
}

/// A connection whose logins can have these contexts.
fn states(connection: Connection, contexts: &[&str]) -> Connection {
    let words = contexts.iter().map(|acr| (format!("urn:{acr}"), (*acr).to_owned()));
    Connection { acr_values: words.collect(), ..connection }
}

fn user(session: &SsoSession) -> User {
    User {
        id: session.user_id.clone(),
        claims: NormalizedClaims::default(),
        claims_from: None,
        claims_elsewhere: std::collections::BTreeMap::new(),
        identities: vec![session.identity()],
        organizations: vec![name("acme")],
        blocked: false,
        signed_out_at: None,
        created_at: now(),
        updated_at: now(),
    }
}

fn decided(change: impl FnOnce(&mut Scene)) -> Result<(), Unfit> {
    let mut scene = scene();
    change(&mut scene);
    may_serve(&Facts {
        session: &scene.session,
        request: &scene.request,
        standing: scene.standing.as_ref(),
        user: scene.user.as_ref(),
        organization: scene.organization.as_ref(),
        connection: Named::of(scene.request.connection.as_deref(), scene.connection.as_ref()),
        asked_organization: Named::of(
            scene.request.organization.as_deref(),
            scene.asked_organization.as_ref(),
        ),
        now: scene.now,
    })
}

fn of_client(scene: &mut Scene, change: impl FnOnce(&mut Client)) {
    let standing = scene.standing.as_mut().unwrap();
    change(Arc::make_mut(&mut standing.client));
}

fn asks_connection(scene: &mut Scene, asked: &str, found: Option<&str>) {
    scene.request.connection = Some(asked.to_owned());
    scene.connection = found.map(name);
}

fn asks_organization(scene: &mut Scene, asked: &str, found: Option<&str>) {
    scene.request.organization = Some(asked.to_owned());
    scene.asked_organization = found.map(name);
}

fn redirect_to(scene: &mut Scene, uri: &str) {
    let AnswerTo::Client(way) = &scene.request.answer else { panic!("a client's") };
    let way = WayThere { redirect_uri: uri.to_owned(), ..way.clone() };
    scene.request.answer = AnswerTo::Client(way);
}

#[test]
fn a_session_serves_the_next_client() {
    assert_eq!(decided(|_| {}), Ok(()));
    assert_eq!(decided(|s| s.request.prompt = vec![Prompt::None]), Ok(()));
    assert_eq!(decided(|s| s.request.prompt = vec![Prompt::Consent]), Ok(()));
}

#[test]
fn what_was_taken_away_since_ends_the_silent_way() {
    for taken in [
        |s: &mut Scene| s.standing = None,
        |s: &mut Scene| s.user = None,
        |s: &mut Scene| s.user.as_mut().unwrap().blocked = true,
        |s: &mut Scene| s.user.as_mut().unwrap().identities.clear(),
        |s: &mut Scene| {
            let other = Identity { subject: "2".to_owned(), ..s.session.identity() };
            s.user.as_mut().unwrap().identities = vec![other];
        },
        |s: &mut Scene| s.organization = None,
    ] {
        assert_eq!(decided(taken), Err(Unfit::Barred));
    }
}

#[test]
fn it_must_be_of_the_connection_and_organization_that_were_asked_for() {
    assert_eq!(decided(|s| asks_connection(s, "con_1", Some("acme-oidc"))), Ok(()));
    let other = decided(|s| asks_connection(s, "acme-saml", Some("acme-saml")));
    assert_eq!(other, Err(Unfit::OtherConnection));
    let unknown = decided(|s| asks_connection(s, "acme-oidc", None));
    assert_eq!(unknown, Err(Unfit::OtherConnection));

    assert_eq!(decided(|s| asks_organization(s, "org_1", Some("acme"))), Ok(()));
    let other = decided(|s| asks_organization(s, "globex", Some("globex")));
    assert_eq!(other, Err(Unfit::OtherOrganization));
    let unknown = decided(|s| asks_organization(s, "acme", None));
    assert_eq!(unknown, Err(Unfit::OtherOrganization));
    let none = decided(|s| {
        s.session.organization = None;
        asks_organization(s, "acme", Some("acme"));
    });
    assert_eq!(none, Err(Unfit::OtherOrganization));
}

#[test]
fn a_client_that_is_tied_to_an_organization_asks_for_it_by_itself() {
    let tied = |to: &'static str| {
        move |s: &mut Scene| {
            of_client(s, |c| c.kind = ClientKind::FirstParty { organization: Some(name(to)) });
        }
    };

    assert_eq!(decided(tied("acme")), Ok(()));
    assert_eq!(decided(tied("globex")), Err(Unfit::OtherOrganization));
    let third = |s: &mut Scene| {
        of_client(s, |c| c.kind = ClientKind::ThirdParty { organization: name("globex") });
    };
    assert_eq!(decided(third), Ok(()), "a third party's owner limits its connections only");
}

#[test]
fn it_must_be_of_the_hinted_user() {
    let hinted =
        |sub: &'static str| move |s: &mut Scene| s.request.hinted_user = Some(sub.to_owned());
    assert_eq!(decided(hinted("usr_1")), Ok(()));
    assert_eq!(decided(hinted("usr_2")), Err(Unfit::OtherUser));

    let named =
        |hint: &'static str| move |s: &mut Scene| s.request.login_hint = Some(hint.to_owned());
    for known in ["ada@acme.example", "Ada@ACME.example", "ada", "usr_1"] {
        assert_eq!(decided(named(known)), Ok(()), "{known}");
    }
    for other in ["bob@acme.example", "acme.example", ""] {
        assert_eq!(decided(named(other)), Err(Unfit::OtherUser), "{other}");
    }
}

#[test]
fn it_must_have_one_of_the_wanted_contexts() {
    let wants = |all: &'static [&'static str]| {
        move |s: &mut Scene| s.request.acr_values = all.iter().map(|a| (*a).to_owned()).collect()
    };

    assert_eq!(decided(wants(&["x", "mfa"])), Ok(()));
    assert_eq!(decided(wants(&["x"])), Err(Unfit::Acr));
    let unknown = |s: &mut Scene| {
        s.session.acr = None;
        s.request.acr_values = vec!["mfa".to_owned()];
    };
    assert_eq!(decided(unknown), Err(Unfit::Acr));
    // a login could not state it either: it would only be asked for again and again
    assert_eq!(decided(wants(&["y"])), Ok(()));
}

#[test]
fn the_clients_age_counts_from_the_authentication() {
    let aged = |most: i64, seconds: i64| {
        move |s: &mut Scene| {
            s.request.max_age = Some(most);
            s.now = s.session.auth_time.unwrap() + TimeDelta::seconds(seconds);
        }
    };

    assert_eq!(decided(aged(300, 300)), Ok(()));
    assert_eq!(decided(aged(300, 301)), Err(Unfit::TooOld));
    assert_eq!(decided(aged(0, 0)), Err(Unfit::TooOld));
    let unknown = |s: &mut Scene| {
        s.request.max_age = Some(86_400);
        s.session.auth_time = None;
    };
    assert_eq!(decided(unknown), Err(Unfit::TooOld));
}

#[test]
fn the_organizations_age_counts_from_the_login_here() {
    let aged = |seconds: i64| {
        move |s: &mut Scene| {
            s.organization.as_mut().unwrap().session_max_age_seconds = Some(600);
            s.now = s.session.signed_in_at + TimeDelta::seconds(seconds);
        }
    };

    assert_eq!(decided(aged(599)), Ok(()));
    assert_eq!(decided(aged(600)), Err(Unfit::TooOld));
}

#[test]
fn the_client_may_ask_for_a_login_or_a_choice() {
    let login = |s: &mut Scene| s.request.prompt = vec![Prompt::Login, Prompt::SelectAccount];
    assert_eq!(decided(login), Err(Unfit::PromptLogin));
    let choice = |s: &mut Scene| s.request.prompt = vec![Prompt::SelectAccount];
    assert_eq!(decided(choice), Err(Unfit::SelectAccount));
    assert!(Unfit::SelectAccount.is_for_the_user_to_say());
    assert!(!Unfit::PromptLogin.is_for_the_user_to_say());
}

#[test]
fn a_program_that_cannot_be_told_from_others_needs_the_users_word() {
    let native = |uri: &'static str| {
        move |s: &mut Scene| {
            of_client(s, |c| c.token_endpoint_auth_method = ClientAuthMethod::None);
            redirect_to(s, uri);
        }
    };

    assert_eq!(decided(native("http://127.0.0.1:4711/cb")), Err(Unfit::NativeApp));
    assert_eq!(decided(native("com.example.app:/cb")), Err(Unfit::NativeApp));
    assert_eq!(decided(native("https://app.example/cb")), Ok(()));
    assert_eq!(decided(|s| redirect_to(s, "http://127.0.0.1:4711/cb")), Ok(()), "it has a secret");
    assert!(Unfit::NativeApp.is_for_the_user_to_say());
}
