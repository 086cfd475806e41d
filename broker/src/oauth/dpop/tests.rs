use serde_json::json;

use super::*;
use crate::oauth::fixtures::Broker;
use crate::oauth::fixtures::signing::Holder;

const PATH: &str = "/oauth/token";

async fn checked(broker: &Broker, proof: &str) -> Result<String, &'static str> {
    let request = Request { method: "POST", path: PATH, access_token: None };
    checked_for(broker, proof, request).await
}

async fn checked_for(
    broker: &Broker,
    proof: &str,
    request: Request<'_>,
) -> Result<String, &'static str> {
    let spent = async {
        let proof = check(broker.app(), ProofHeader::One(proof), request, broker.now())?.unwrap();
        proof.spend(broker.app(), broker.now()).await?;
        Ok(proof.thumbprint)
    };
    match spent.await {
        Ok(thumbprint) => Ok(thumbprint),
        Err(DpopError::Invalid(why)) => Err(why),
        Err(DpopError::UseNonce) => Err("use nonce"),
        Err(DpopError::Trouble(_)) => Err("trouble"),
    }
}

#[actix_web::test]
async fn a_good_proof_gives_the_thumbprint_of_its_key_once() {
    let broker = Broker::start().await;
    let holder = Holder::new();
    let proof = holder.proof(&broker, PATH, &json!({}));

    assert_eq!(checked(&broker, &proof).await.as_deref(), Ok(holder.thumbprint()));
    assert_eq!(checked(&broker, &proof).await, Err("it was used before"));
}

/// RFC 9449 §7: `ath` of the example in figure 12.
#[test]
fn the_hash_of_an_access_token_is_that_of_rfc_9449() {
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    assert_eq!(ath(token), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

#[actix_web::test]
async fn no_header_is_no_proof_and_two_are_none_that_counts() {
    let broker = Broker::start().await;
    let request = Request { method: "POST", path: PATH, access_token: None };
    let check = |header| check(broker.app(), header, request, broker.now());

    assert!(matches!(check(ProofHeader::Absent), Ok(None)));
    assert!(matches!(check(ProofHeader::Unusable), Err(DpopError::Invalid(_))));
    for bad in ["", "x", "a.b.c"] {
        assert!(checked(&broker, bad).await.is_err(), "{bad}");
    }
}

/// RFC 9449 §4.3, one after the other.
#[actix_web::test]
async fn each_claim_must_fit_the_request() {
    let broker = Broker::start().await;
    let holder = Holder::new();
    let issuer = broker.issuer();
    let other_port = format!("{issuer}1{PATH}");

    for (name, value, why) in [
        ("jti", json!(null), "jti is missing"),
        ("jti", json!(""), "jti is missing"),
        ("jti", json!(1), "jti is missing"),
        ("jti", json!("x".repeat(257)), "jti is missing"),
        ("htm", json!(null), "htm is not the method of the request"),
        ("htm", json!("GET"), "htm is not the method of the request"),
        ("htm", json!("post"), "htm is not the method of the request"),
        ("htu", json!(null), "htu is not the address of the request"),
        ("htu", json!(PATH), "htu is not the address of the request"),
        ("htu", json!(format!("{issuer}/userinfo")), "htu is not the address of the request"),
        ("htu", json!(format!("{issuer}{PATH}/")), "htu is not the address of the request"),
        ("htu", json!(other_port), "htu is not the address of the request"),
        (
            "htu",
            json!("https://other.example/oauth/token"),
            "htu is not the address of the request",
        ),
        ("iat", json!(null), "iat is missing"),
        ("iat", json!("now"), "a time is not a number of seconds"),
        ("nonce", json!(null), "use nonce"),
        ("nonce", json!("AAAA"), "use nonce"),
        ("nonce", json!(7), "use nonce"),
    ] {
        let proof = holder.proof(&broker, PATH, &json!({ name: value }));
        assert_eq!(checked(&broker, &proof).await, Err(why), "{name}: {value}");
    }
}

#[actix_web::test]
async fn query_fragment_and_writing_of_the_address_do_not_count() {
    let broker = Broker::start().await;
    let issuer = broker.issuer();
    for htu in [
        format!("{issuer}{PATH}?a=b#c"),
        format!("{}{PATH}", issuer.replace("http://localhost", "HTTP://LocalHost")),
        format!("{issuer}/x/../oauth/token"),
    ] {
        let proof = Holder::new().proof(&broker, PATH, &json!({ "htu": htu }));
        assert!(checked(&broker, &proof).await.is_ok(), "{htu}");
    }
}

#[actix_web::test]
async fn the_header_says_what_it_is_and_carries_its_key() {
    let broker = Broker::start().await;
    let (holder, other) = (Holder::new(), Holder::new());
    let claims = json!({"jti": "1", "htm": "POST", "htu": format!("{}{PATH}", broker.issuer()),
        "iat": broker.now().timestamp(), "nonce": nonce::issue(&broker.app().sealer, broker.now())});
    let good = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": holder.0.public_jwk()});
    let unsigned = "it is no JWT signed with the public key in its header";
    let mut private = holder.0.public_jwk().clone();
    private["d"] = json!("AQAB");

    for (name, value, why) in [
        ("typ", json!(null), "its typ is not dpop+jwt"),
        ("typ", json!("JWT"), "its typ is not dpop+jwt"),
        ("typ", json!("at+jwt"), "its typ is not dpop+jwt"),
        ("alg", json!("none"), unsigned),
        ("alg", json!("HS256"), unsigned),
        ("alg", json!("RS256"), unsigned),
        ("jwk", json!(null), unsigned),
        ("jwk", private, unsigned),
        ("jwk", other.0.public_jwk().clone(), unsigned),
        ("jwk", json!({"kty": "oct", "k": "AQAB"}), unsigned),
    ] {
        let header =
            crate::oauth::fixtures::signing::changed(good.clone(), &json!({ name: value }));
        assert_eq!(checked(&broker, &holder.sign(&header, &claims)).await, Err(why), "{name}");
    }
    assert!(checked(&broker, &holder.sign(&good, &claims)).await.is_ok());
}

#[actix_web::test]
async fn a_nonce_is_good_for_five_minutes_and_so_is_the_proof() {
    let broker = Broker::start().await;
    let proofs: Vec<_> = (0..2).map(|_| Holder::new().proof(&broker, PATH, &json!({}))).collect();

    broker.clock.advance(299);
    assert!(checked(&broker, &proofs[0]).await.is_ok());
    broker.clock.advance(1);
    assert_eq!(checked(&broker, &proofs[1]).await, Err("use nonce"));
}

#[actix_web::test]
async fn without_a_nonce_a_proof_is_a_minute_old_at_most() {
    let broker = Broker::start_with("[dpop]\nrequire_nonce = false\n").await;
    let at = |seconds: i64| {
        let iat = broker.now().timestamp() + seconds;
        Holder::new().proof(&broker, PATH, &json!({"nonce": null, "iat": iat}))
    };

    for good in [-59, 0, 60] {
        assert!(checked(&broker, &at(good)).await.is_ok(), "{good}");
    }
    for bad in [-60, 61] {
        assert_eq!(checked(&broker, &at(bad)).await, Err("iat is not about now"), "{bad}");
    }
    // one that came must still be ours
    let foreign = Holder::new().proof(&broker, PATH, &json!({"nonce": "AAAA"}));
    assert_eq!(checked(&broker, &foreign).await, Err("use nonce"));
}

#[actix_web::test]
async fn at_a_resource_the_proof_names_the_token() {
    let broker = Broker::start().await;
    let request = Request { method: "POST", path: PATH, access_token: Some("token") };
    let proof = |ath: Value| Holder::new().proof(&broker, PATH, &json!({ "ath": ath }));

    let why = "ath is not the hash of the access token";
    assert!(checked_for(&broker, &proof(json!(ath("token"))), request).await.is_ok());
    assert_eq!(checked_for(&broker, &proof(json!(null)), request).await, Err(why));
    assert_eq!(checked_for(&broker, &proof(json!(ath("other"))), request).await, Err(why));
}
