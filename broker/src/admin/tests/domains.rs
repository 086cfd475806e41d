//! Domains: claimed, proven by a TXT record, lost, transferred.

mod watched;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::api_tokens::{as_holder, token};
use super::{Answer, Api};
use crate::domains::fixtures::{Dns, Says};
use crate::domains::{proof, recheck};

struct Scene {
    api: Api,
    dns: Dns,
    acme: String,
    globex: String,
}

const RECORD: &str = "_homerealm-challenge.acme.example";

impl Scene {
    /// Acme and Globex hold nothing; each has a token.
    async fn start() -> Self {
        let dns = Dns::start().await;
        let api = Api::start_with(&format!("[dns]\nservers = [\"{}\"]\n", dns.address)).await;
        for name in ["acme", "globex"] {
            api.create("/organizations", json!({"name": name})).await;
        }
        let (acme, _) = token(&api, "acme-it", "organization:acme").await;
        let (globex, _) = token(&api, "globex-it", "organization:globex").await;
        Self { api, dns, acme, globex }
    }

    async fn claim(&self, organization: &str, domain: &str) -> Answer {
        let path = format!("/organizations/{organization}/domains");
        let body = Some(json!({"name": domain}));
        as_holder(&self.api, self.token(organization), Method::POST, &path, body).await
    }

    async fn verify(&self, organization: &str, domain: &str) -> Answer {
        let path = format!("/organizations/{organization}/domains/{domain}/verify");
        as_holder(&self.api, self.token(organization), Method::POST, &path, None).await
    }

    fn token(&self, organization: &str) -> &str {
        if organization == "acme" { &self.acme } else { &self.globex }
    }

    /// Claims, sets the record, verifies.
    async fn prove(&self, organization: &str, domain: &str) -> Answer {
        let claimed = self.claim(organization, domain).await;
        let challenge = &claimed.body["challenge"];
        let (record, value) = (challenge["record"].as_str(), challenge["value"].as_str());
        self.dns.text(record.unwrap(), value.unwrap());
        self.verify(organization, domain).await
    }

    async fn domain(&self, organization: &str, domain: &str) -> Value {
        self.api.get(&format!("/organizations/{organization}/domains/{domain}")).await.body
    }

    async fn round(&self, now: DateTime<Utc>) {
        recheck::round(self.api.app(), now).await.unwrap();
    }

    async fn doctor(&self) -> Vec<Value> {
        let findings = self.api.get("/doctor?reach=false").await.body;
        let of_domains = |finding: &&Value| finding["check"] == "domain_proof";
        findings["items"].as_array().unwrap().iter().filter(of_domains).cloned().collect()
    }
}

#[actix_web::test]
async fn a_claim_says_which_record_to_set_and_verifies_once_it_is_there() {
    let scene = Scene::start().await;
    let claimed = scene.claim("acme", "ACME.example").await;
    assert_eq!(claimed.status, 201, "{}", claimed.body);
    let challenge = &claimed.body["challenge"];
    assert_eq!(
        (&claimed.body["name"], &challenge["record"]),
        (&json!("acme.example"), &json!(RECORD))
    );
    let document = scene.api.get("/openapi.json").await.body;
    super::documents::check_named(&document, "OrganizationDomain", &claimed.body);
    let again = scene.claim("acme", "acme.example").await;
    assert_eq!((again.status, &again.body), (200, &claimed.body), "an open claim stays");

    for says in [
        Says::Code(3),
        Says::Texts(vec![]),
        Says::Texts(vec!["homerealm-verification=other".to_owned(), "v=spf1 -all".to_owned()]),
    ] {
        scene.dns.set(RECORD, says);
        let refused = scene.verify("acme", "acme.example").await;
        assert_eq!(
            (refused.status, refused.fields()),
            (409, vec!["challenge"]),
            "{}",
            refused.body
        );
    }
    let value = challenge["value"].as_str().unwrap();
    scene.dns.set(RECORD, Says::Texts(vec!["v=spf1 -all".to_owned(), value.to_owned()]));
    let verified = scene.verify("acme", "acme.example").await;

    assert_eq!(
        (verified.status, &verified.body["proof"]),
        (200, &json!("dns")),
        "{}",
        verified.body
    );
    super::documents::check_named(&document, "OrganizationDomain", &verified.body);
    let list = scene.api.get("/organizations/acme/domains").await.body;
    super::documents::check_named(&document, "OrganizationDomainList", &list);
    assert_eq!(list["items"], json!([verified.body]));
    let organization = scene.api.get("/organizations/acme").await.body;
    let shown = json!([{"name": "acme.example", "verified": true, "proof": "dns"}]);
    assert_eq!(organization["domains"], shown);
    super::documents::check_named(&document, "Organization", &organization);
    let entry = &scene.api.get("/logs?object=acme").await.body["items"][0];
    assert_eq!(entry["actor"]["name"], "acme-it");
    scene.api.stop().await;
}

#[actix_web::test]
async fn anothers_record_proves_nothing() {
    let scene = Scene::start().await;
    let mine = scene.claim("acme", "acme.example").await.body;
    let theirs = scene.claim("globex", "acme.example").await.body;
    assert_ne!(mine["challenge"]["value"], theirs["challenge"]["value"]);

    scene.dns.text(RECORD, mine["challenge"]["value"].as_str().unwrap());

    assert_eq!(scene.verify("globex", "acme.example").await.status, 409);
    assert_eq!(scene.verify("acme", "acme.example").await.status, 200);
    scene.api.stop().await;
}

#[actix_web::test]
async fn while_dns_does_not_answer_nothing_is_decided() {
    let scene = Scene::start().await;
    scene.claim("acme", "acme.example").await;
    scene.dns.set(RECORD, Says::Code(2));

    assert_eq!(scene.verify("acme", "acme.example").await.status, 503);

    assert_eq!(scene.domain("acme", "acme.example").await["verified"], false);
    scene.api.stop().await;
}

#[actix_web::test]
async fn what_nobody_owns_cannot_be_claimed_and_what_was_not_claimed_not_verified() {
    let scene = Scene::start().await;
    for name in [
        "co.uk",
        "github.io",
        "*.github.io",
        "gmail.com",
        "*.gmail.com",
        "x.gmail.com",
        "onmicrosoft.com",
        "acme",
        "192.0.2.1",
        "*",
        "a_b.example",
    ] {
        let refused = scene.claim("acme", name).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["name"]), "{name}");
    }
    let domains = json!([{"name": "gmail.com", "verified": true}]);
    let by_operator = scene.api.patch("/organizations/acme", json!({"domains": domains})).await;
    assert_eq!((by_operator.status, by_operator.fields()), (422, vec!["domains.0.name"]));
    assert_eq!(scene.verify("acme", "acme.example").await.status, 404);
    let unclaimed = json!([{"name": "acme.example", "verified": false}]);
    scene.api.patch("/organizations/acme", json!({"domains": unclaimed})).await;
    assert_eq!(scene.verify("acme", "acme.example").await.status, 409);
    scene.api.stop().await;
}

#[actix_web::test]
async fn a_wildcard_needs_its_base_and_goes_before_it() {
    let scene = Scene::start().await;
    let early = scene.claim("acme", "*.acme.example").await;
    assert_eq!((early.status, early.fields()), (422, vec!["name"]));
    scene.prove("acme", "acme.example").await;

    let made = scene.claim("acme", "*.acme.example").await;

    assert_eq!(
        (made.status, &made.body["verified"], &made.body["proof"]),
        (201, &json!(true), &json!("dns"))
    );
    let give_up = async |domain: &str| {
        let path = format!("/organizations/acme/domains/{domain}");
        as_holder(&scene.api, &scene.acme, Method::DELETE, &path, None).await.status
    };
    assert_eq!(give_up("acme.example").await, 409);
    assert_eq!(give_up("*.acme.example").await, 204);
    assert_eq!(give_up("acme.example").await, 204);
    assert_eq!(give_up("acme.example").await, 404);
    scene.api.stop().await;
}

#[actix_web::test]
async fn a_domain_has_one_holder_until_the_operator_transfers_it() {
    let scene = Scene::start().await;
    scene.prove("acme", "acme.example").await;
    scene.claim("acme", "*.acme.example").await;
    let proven = scene.prove("globex", "acme.example").await;
    assert_eq!(proven.status, 409, "{}", proven.body);
    assert!(!proven.body.to_string().contains("globex"), "{}", proven.body);
    let path = "/organizations/acme/domains/acme.example/transfer";
    let body = json!({"to": "globex"});
    let by_holder =
        as_holder(&scene.api, &scene.acme, Method::POST, path, Some(body.clone())).await;
    assert_eq!(by_holder.status, 403);
    for to in ["acme", "nobody"] {
        let refused = scene.api.post(path, json!({"to": to})).await;
        assert_eq!((refused.status, refused.fields()), (422, vec!["to"]), "{to}");
    }

    let moved = scene.api.post(path, body).await;

    assert_eq!((moved.status, &moved.body["proof"]), (200, &json!("operator")), "{}", moved.body);
    let of = async |name: &str| {
        scene.api.get(&format!("/organizations/{name}")).await.body["domains"].clone()
    };
    assert_eq!(of("acme").await, json!([]));
    let both = json!([{"name": "acme.example", "verified": true}, {"name": "*.acme.example", "verified": true}]);
    assert_eq!(of("globex").await, both);
    let logs = scene.api.get("/logs?kind=organization&actor=bootstrap&limit=2").await.body;
    let names: Vec<&Value> =
        logs["items"].as_array().unwrap().iter().map(|e| &e["object"]["name"]).collect();
    assert!(names.contains(&&json!("acme")) && names.contains(&&json!("globex")), "{logs}");
    scene.api.stop().await;
}

#[actix_web::test]
async fn a_domain_that_a_connection_lists_is_not_transferred_under_it() {
    let scene = Scene::start().await;
    scene.prove("acme", "acme.example").await;
    scene
        .api
        .create(
            "/connections",
            json!({"name": "c", "strategy": "oidc", "organization": "acme", "domains": ["acme.example"],
                   "options": {"issuer": "https://op.example", "client_id": "us"}}),
        )
        .await;
    let path = "/organizations/acme/domains/acme.example/transfer";

    let refused = scene.api.post(path, json!({"to": "globex"})).await;

    assert_eq!(refused.status, 409, "{}", refused.body);
    assert_eq!(scene.domain("acme", "acme.example").await["verified"], true);
    scene.api.stop().await;
}

#[actix_web::test]
async fn below_anothers_wildcard_only_the_operator_verifies() {
    let scene = Scene::start().await;
    scene.prove("acme", "acme.example").await;
    scene.claim("acme", "*.acme.example").await;

    let proven = scene.prove("globex", "eu.acme.example").await;

    assert_eq!(proven.status, 409, "{}", proven.body);
    let path = "/organizations/globex/domains/eu.acme.example/verify";
    let by_operator = scene.api.post(path, json!({})).await;
    assert_eq!((by_operator.status, &by_operator.body["verified"]), (200, &json!(true)));
    let wildcard = scene.claim("globex", "*.eu.acme.example").await;
    assert_eq!(wildcard.status, 409, "{}", wildcard.body);
    assert!(!wildcard.body.to_string().contains("\"acme\""), "{}", wildcard.body);
    let path = "/organizations/globex/domains";
    let by_operator = scene.api.post(path, json!({"name": "*.eu.acme.example"})).await;
    assert_eq!((by_operator.status, &by_operator.body["verified"]), (201, &json!(true)));
    scene.api.stop().await;
}
