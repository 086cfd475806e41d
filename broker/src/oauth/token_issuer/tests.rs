use homerealm_certs::{KeyState, SequenceRandom, SigningKey};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use super::*;
use crate::catalog::NormalizedClaims;
use crate::catalog::SubjectType;
use crate::oauth::code::LoginOrganization;

const ISSUER: &str = "https://login.example.com";

fn keys() -> Arc<KeySet> {
    let active = |alg| (KeyState::Active, SigningKey::generate(alg).unwrap());
    Arc::new(KeySet::new(JwsAlgorithm::ALL.map(active).to_vec()).unwrap())
}

fn issuer<'a>(keys: &Arc<KeySet>, random: &'a dyn Random) -> TokenIssuer<'a> {
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    TokenIssuer { issuer: ISSUER, keys: Arc::clone(keys), random, now }
}

fn login() -> Login {
    Login {
        user_id: "usr_1".to_owned(),
        connection: "acme-saml".to_owned().try_into().unwrap(),
        organization: Some(LoginOrganization {
            id: "org_1".to_owned(),
            name: "acme".to_owned().try_into().unwrap(),
        }),
        auth_time: Some("2029-12-31T23:59:00Z".parse().unwrap()),
        acr: Some("mfa".to_owned()),
        amr: vec!["otp".to_owned()],
        signed_in_at: None,
        session: Some("ses_1".to_owned()),
        claims: NormalizedClaims::default(),
    }
}

fn unknown_circumstances() -> Login {
    Login { organization: None, auth_time: None, acr: None, amr: Vec::new(), ..login() }
}

fn api(signing_alg: JwsAlgorithm) -> ResourceServer {
    let at = "2030-01-01T00:00:00Z".parse().unwrap();
    ResourceServer {
        id: "api_1".to_owned(),
        identifier: "https://api.example".to_owned(),
        name: "API".to_owned(),
        scopes: Vec::new(),
        token_lifetime_seconds: 900,
        signing_alg,
        default: false,
        allowed_subject_types: vec![SubjectType::User, SubjectType::Client],
        introspection_clients: Vec::new(),
        created_at: at,
        updated_at: at,
    }
}

/// Verified by another library against the published keys.
fn verified(token: &str, keys: &KeySet, audience: &str) -> (String, Value) {
    let header = decode_header(token).unwrap();
    let jwks: JwkSet = serde_json::from_str(keys.jwks()).unwrap();
    let jwk = jwks.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[ISSUER]);
    // the library reads the machine's clock
    validation.validate_exp = false;
    let claims = decode::<Value>(token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap();
    (header.typ.unwrap(), claims.claims)
}

#[actix_web::test]
async fn an_access_token_says_what_the_contract_lists() {
    let (keys, random, login) = (keys(), SequenceRandom::new(1), login());
    let api = api(JwsAlgorithm::Es256);
    let scopes = ["openid".to_owned(), "read".to_owned()];
    let subject = Subject::User { login: &login, family: "fam_1" };
    let grant = AccessGrant {
        client_id: "app",
        api: Some(&api),
        scopes: &scopes,
        subject,
        confirmation: None,
    };

    let minted = issuer(&keys, &random).access_token(&grant).await.unwrap();

    let (typ, mut claims) = verified(&minted.token, &keys, "https://api.example");
    let jti = claims["jti"].take();
    assert_eq!((typ.as_str(), minted.expires_in), ("at+jwt", 900));
    assert_eq!(family_of(jti.as_str().unwrap()), Some("fam_1"));
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": "usr_1", "aud": "https://api.example", "client_id": "app",
            "iat": 1_893_456_000, "exp": 1_893_456_900, "jti": null, "scope": "openid read",
            "auth_time": 1_893_455_940, "acr": "mfa", "amr": ["otp"],
            "org_id": "org_1", "org_name": "acme", "connection": "acme-saml"
        })
    );
}

#[actix_web::test]
async fn what_is_not_known_is_left_out() {
    let (keys, random, login) = (keys(), SequenceRandom::new(1), unknown_circumstances());
    let subject = Subject::User { login: &login, family: "fam_1" };
    let grant =
        AccessGrant { client_id: "app", api: None, scopes: &[], subject, confirmation: None };

    let minted = issuer(&keys, &random).access_token(&grant).await.unwrap();

    let (_, claims) = verified(&minted.token, &keys, ISSUER);
    let names: Vec<_> = claims.as_object().unwrap().keys().cloned().collect();
    let expected = ["aud", "client_id", "connection", "exp", "iat", "iss", "jti", "scope", "sub"];
    assert_eq!(names, expected);
    assert_eq!(minted.expires_in, 3600);
}

#[actix_web::test]
async fn each_api_gets_its_algorithm() {
    let (keys, random) = (keys(), SequenceRandom::new(1));
    for (ours, theirs) in [
        (JwsAlgorithm::Es256, Algorithm::ES256),
        (JwsAlgorithm::Rs256, Algorithm::RS256),
        (JwsAlgorithm::EdDsa, Algorithm::EdDSA),
    ] {
        let api = api(ours);
        let grant = AccessGrant {
            client_id: "c",
            api: Some(&api),
            scopes: &[],
            subject: Subject::Client,
            confirmation: None,
        };
        let minted = issuer(&keys, &random).access_token(&grant).await.unwrap();
        assert_eq!(decode_header(&minted.token).unwrap().alg, theirs);
        verified(&minted.token, &keys, "https://api.example");
    }
}

#[actix_web::test]
async fn a_client_of_its_own_never_looks_like_a_user() {
    let (keys, random, api) = (keys(), SequenceRandom::new(1), api(JwsAlgorithm::Es256));
    let grant = AccessGrant {
        client_id: "usr_1",
        api: Some(&api),
        scopes: &[],
        subject: Subject::Client,
        confirmation: None,
    };

    let minted = issuer(&keys, &random).access_token(&grant).await.unwrap();

    let (_, claims) = verified(&minted.token, &keys, "https://api.example");
    assert_eq!(claims["sub"], "client|usr_1");
    assert_eq!(family_of(claims["jti"].as_str().unwrap()), None);
    assert_eq!(claims.get("connection"), None);
}

#[actix_web::test]
async fn no_token_outlives_the_longest_lifetime() {
    let (keys, random) = (keys(), SequenceRandom::new(1));
    let api = ResourceServer { token_lifetime_seconds: u32::MAX, ..api(JwsAlgorithm::Es256) };
    let grant = AccessGrant {
        client_id: "c",
        api: Some(&api),
        scopes: &[],
        subject: Subject::Client,
        confirmation: None,
    };

    let minted = issuer(&keys, &random).access_token(&grant).await.unwrap();

    assert_eq!(minted.expires_in, 30 * 86_400);
}

#[actix_web::test]
async fn an_id_token_says_what_the_scopes_allow() {
    let (keys, random, login) = (keys(), SequenceRandom::new(1), login());
    let claims = NormalizedClaims {
        email: Some("ada@acme.example".to_owned()),
        email_verified: Some(true),
        name: Some("Ada".to_owned()),
        ..NormalizedClaims::default()
    };
    let grant = IdTokenGrant {
        client_id: "app",
        algorithm: JwsAlgorithm::Rs256,
        login: &login,
        nonce: Some("n-1"),
        access_token: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        claims: UserClaims::of(&claims, &["openid", "email"]),
    };

    let token = issuer(&keys, &random).id_token(grant).await.unwrap();

    let (typ, claims) = verified(&token, &keys, "app");
    assert_eq!(typ, "JWT");
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": "usr_1", "aud": "app", "iat": 1_893_456_000, "exp": 1_893_459_600,
            "auth_time": 1_893_455_940, "nonce": "n-1", "acr": "mfa", "amr": ["otp"], "sid": "ses_1",
            // the pair of OIDC Core's own example (§A.3)
            "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
            "org_id": "org_1", "org_name": "acme",
            "email": "ada@acme.example", "email_verified": true
        })
    );
}

#[test]
fn ed25519_hashes_with_sha_512() {
    assert_eq!(at_hash(JwsAlgorithm::Es256, "x").len(), 22);
    assert_eq!(at_hash(JwsAlgorithm::EdDsa, "x").len(), 43);
}

#[actix_web::test]
async fn without_a_key_nothing_is_minted() {
    let (keys, random) = (Arc::new(KeySet::new(Vec::new()).unwrap()), SequenceRandom::new(1));
    let grant = AccessGrant {
        client_id: "c",
        api: None,
        scopes: &[],
        subject: Subject::Client,
        confirmation: None,
    };

    let refused = issuer(&keys, &random).access_token(&grant).await;

    assert!(matches!(refused, Err(Trouble::Broken(_))));
}
