//! `apply` and `export` against a broker's database.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::catalog::{AuditFilter, Connection, ConnectionOptions};
use crate::cli::target::Api;
use crate::config::Config;
use crate::http::login::tests::idp::Idp;

const FORM: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

/// A broker of this process, as a command opens it.
async fn broker() -> (Api, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[database]\nurl = \"sqlite:{}/hr.db\"\n[upstream]\nallow_http = true",
        folder.path().display()
    );
    let api = Api::in_process(Config::from_toml(&text, []).unwrap()).await.unwrap();
    (api, folder)
}

fn document() -> Value {
    DOCUMENT.clone()
}

/// One IdP, whose key does not change.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let ConnectionOptions::Saml(options) = Idp::new().connection().options else { panic!() };
    json!({
        "organizations": [{"name": "acme", "display_name": "Acme", "domains": [{"name": "acme.example", "verified": true}, {"name": "two.example"}]}],
        "connections": [
            {"name": "acme-saml", "strategy": "saml", "organization": "acme", "domains": ["acme.example"],
             "options": {"metadata_xml": options.metadata_xml, "name_id_format": FORM}, "claims": {"email": ["mail"], "name": ["cn"]}},
            {"name": "shared", "strategy": "oidc", "is_domain_connection": true,
             "options": {"issuer": "https://op.example", "client_id": "us", "client_secret": "hush-hush"}},
        ],
        "clients": [{"client_id": "portal", "client_name": "Portal", "organization": "acme", "redirect_uris": ["https://portal.acme.example/cb"], "connections": ["acme-saml"]}],
        "resource-servers": [{"identifier": "https://api.example/a+b?c=%20/d", "scopes": [{"value": "read"}], "default": true}],
        "client_grants": [{"client_id": "portal", "audience": "https://api.example/a+b?c=%20/d", "scopes": ["read"]}],
    })
});

fn command(flags: &[&str]) -> Command {
    use clap::{Args as _, FromArgMatches as _};
    let parser = Command::augment_args(clap::Command::new("apply"));
    let arguments = ["apply", "file"].iter().chain(flags);
    Command::from_arg_matches(&parser.try_get_matches_from(arguments).unwrap()).unwrap()
}

async fn applied(api: &Api, document: &Value, flags: &[&str]) -> [usize; 4] {
    let document = Document::parse(document.to_string().as_bytes()).unwrap();
    let tally = apply(api, &document, &command(flags)).await.unwrap();
    [tally.created, tally.changed, tally.deleted, tally.unchanged]
}

async fn entries(api: &Api) -> usize {
    let catalog = &api.app().unwrap().catalog;
    catalog.list_audit(&AuditFilter::default(), 200, None).await.unwrap().items.len()
}

#[actix_web::test]
async fn apply_creates_what_is_missing_and_then_changes_nothing() {
    let (api, _folder) = broker().await;

    assert_eq!(applied(&api, &document(), &["--dry-run"]).await, [6, 0, 0, 0]);
    assert_eq!(entries(&api).await, 0, "a dry run changes nothing");
    assert_eq!(applied(&api, &document(), &[]).await, [6, 0, 0, 0]);
    assert_eq!(entries(&api).await, 6);
    assert_eq!(applied(&api, &document(), &[]).await, [0, 0, 0, 6]);
    assert_eq!(applied(&api, &document(), &["--dry-run"]).await, [0, 0, 0, 6]);
    assert_eq!(entries(&api).await, 6, "nothing was written again");
    let entry = api.get("/logs?limit=1").await.unwrap().body;
    assert_eq!(entry["items"][0]["actor"], json!({"kind": "cli", "name": "cli"}));
    api.close().await;
}

#[actix_web::test]
async fn applying_an_export_changes_nothing_and_makes_the_same_elsewhere() {
    let (api, _folder) = broker().await;
    applied(&api, &document(), &[]).await;

    let export = exported(&api).await.unwrap();

    assert!(!export.to_string().contains("hush"), "no secrets");
    assert_eq!(applied(&api, &export, &["--prune"]).await, [0, 0, 0, 6]);
    let (other, _other_folder) = broker().await;
    assert_eq!(applied(&other, &export, &[]).await, [6, 0, 0, 0]);
    assert_eq!(exported(&other).await.unwrap(), export);
    api.close().await;
    other.close().await;
}

#[test]
fn domains_that_dns_proves_or_proved_are_not_the_documents_business() {
    let members = |domains: Value| json!({"domains": domains}).as_object().unwrap().clone();
    let found = members(json!([
        {"name": "lost.example", "verified": false, "proof": "dns"},
        {"name": "proven.example", "verified": true, "proof": "dns"},
        {"name": "word.example", "verified": true},
    ]));
    let differs = |wanted: Value| {
        let wanted = difference::leaving_dns_alone(&members(wanted), &found);
        patch(&wanted, &found, false).get("domains").cloned()
    };
    let word = json!({"name": "word.example", "verified": true, "proof": "operator"});
    let lost = |proof: Value| json!({"name": "lost.example", "verified": true, "proof": proof});
    let proven = json!({"name": "proven.example", "verified": false});
    let given_up = json!({"name": "gone.example", "verified": true, "proof": "dns"});

    assert_eq!(differs(json!([lost(json!("dns")), given_up, proven, word])), None);
    assert_eq!(differs(json!([lost(Value::Null), proven, word])), None);
    let revived = differs(json!([lost(json!("operator")), proven, word])).unwrap();
    assert_eq!(revived[0], lost(json!("operator")));
    let word = json!({"name": "word.example", "verified": false});
    let left_out = differs(json!([word])).unwrap();
    assert_eq!(left_out.as_array().unwrap().len(), 3, "{left_out}");
}

#[actix_web::test]
async fn what_differs_is_patched_and_what_is_left_out_stays() {
    let (api, _folder) = broker().await;
    applied(&api, &document(), &[]).await;
    let wanted = json!({
        "organizations": [{"name": "acme", "display_name": "ACME Ltd"}],
        "connections": [{"name": "acme-saml", "options": {"clock_skew_seconds": 120}, "claims": {"email": ["e"]}}],
    });

    assert_eq!(applied(&api, &wanted, &[]).await, [0, 2, 0, 0]);

    let acme = api.get("/organizations/acme").await.unwrap().body;
    assert_eq!(acme["display_name"], "ACME Ltd");
    assert_eq!(acme["domains"].as_array().unwrap().len(), 2);
    let saml = api.get("/connections/acme-saml").await.unwrap().body;
    assert_eq!(saml["options"]["clock_skew_seconds"], 120);
    assert_eq!(saml["options"]["name_id_format"], FORM);
    assert_eq!(saml["claims"], json!({"email": ["e"]}), "a table is as the document has it");
    assert_eq!(applied(&api, &wanted, &["--dry-run"]).await, [0, 0, 0, 2]);
    api.close().await;
}

#[actix_web::test]
async fn prune_deletes_of_the_named_kinds_only_and_what_refers_first() {
    let (api, _folder) = broker().await;
    applied(&api, &document(), &[]).await;
    let fewer = json!({"clients": [], "client-grants": [], "connections": [{"name": "shared"}]});

    assert_eq!(applied(&api, &fewer, &["--prune", "--dry-run"]).await, [0, 0, 3, 1]);
    assert_eq!(applied(&api, &fewer, &[]).await, [0, 0, 0, 1]);
    assert_eq!(applied(&api, &fewer, &["--prune"]).await, [0, 0, 3, 1]);

    let left = exported(&api).await.unwrap();
    let count = |kind: &str| left[kind].as_array().unwrap().len();
    let kinds = ["organizations", "connections", "clients", "resource-servers", "client-grants"];
    assert_eq!(kinds.map(count), [1, 1, 0, 1, 0]);
    api.close().await;
}

#[actix_web::test]
async fn secrets_of_existing_objects_are_sent_on_demand_only() {
    let (api, _folder) = broker().await;
    applied(&api, &document(), &[]).await;
    let sealed = async || {
        let found = api.app().unwrap().catalog.get::<Connection>("shared").await.unwrap().unwrap();
        let ConnectionOptions::Oidc(options) = &found.options else { panic!("not OIDC") };
        options.sealed_client_secret.clone().unwrap()
    };
    let before = sealed().await;

    applied(&api, &document(), &[]).await;
    assert_eq!(sealed().await, before);
    assert_eq!(applied(&api, &document(), &["--secrets"]).await, [0, 1, 0, 5]);
    assert_ne!(sealed().await, before);
    api.close().await;
}

#[test]
fn a_document_is_refused_with_what_is_wrong_in_it() {
    for (document, why) in [
        (json!([]), "must be one JSON object"),
        (json!({"users": []}), "users are not configuration"),
        (json!({"organisations": []}), "organisations is not a known member"),
        (json!({"clients": {}}), "clients must be an array"),
        (json!({"clients": [1]}), "clients[0] must be an object"),
        (json!({"clients": [{"client_name": "x"}]}), "clients[0] needs client_id"),
        (json!({"client-grants": [{"client_id": "x"}]}), "client-grants[0] needs audience"),
        (
            json!({"organizations": [{"name": "a"}, {"name": "a"}]}),
            "organization a is in the document twice",
        ),
        (json!({"client-grants": [], "client_grants": []}), "are the same member"),
    ] {
        let error = Document::parse(document.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains(why), "{document}: {error}");
    }
    assert!(Document::parse(b"{\"clients\": [], \"clients\": []}").is_err());
}

#[test]
fn a_change_is_told_in_lines_without_secrets() {
    let patch = json!({"options": {"clock_skew_seconds": 120, "client_secret": "hush"}, "claims": {"email": null}});
    let found = json!({"options": {"clock_skew_seconds": 60}, "claims": {"email": ["mail"]}});

    let lines = changes(patch.as_object().unwrap(), found.as_object().unwrap());

    let expected = [
        "claims.email: [\"mail\"] -> null",
        "options.client_secret: (secret)",
        "options.clock_skew_seconds: 60 -> 120",
    ];
    assert_eq!(lines, expected);
}
