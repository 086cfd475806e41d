//! `/metrics` of a running broker.

use crate::config::Config;
use crate::startup::{Running, Startup, start};

async fn broker(metrics: &str) -> (Running, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "listen = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite:{}/hr.db\"\n{metrics}",
        folder.path().display()
    );
    let config = Config::from_toml(&text, []).unwrap();
    (start(Startup::new(config)).await.unwrap(), folder)
}

async fn get(url: String) -> (u16, String) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = http.get(url).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[actix_web::test]
async fn metrics_have_an_address_of_their_own_and_say_nothing_of_anybody() {
    let (running, _folder) = broker("[metrics]\nlisten = \"127.0.0.1:0\"").await;
    let own = format!("http://{}/metrics", running.metrics_address.unwrap());
    let public = format!("http://localhost:{}", running.address.port());
    get(format!("{public}/home-realm?email=alice@acme.example&client_id=nobody")).await;
    get(format!("{public}/saml/acme/metadata")).await;
    get(format!("{public}/no/such/alice")).await;
    running.app.metrics.login("failed", Some("saml_expired"));

    let (status, text) = get(own).await;

    assert_eq!(status, 200);
    for line in [
        "homerealm_logins_total{outcome=\"failed\",code=\"saml_expired\"} 1",
        "homerealm_up{part=\"database\"} 1",
        "homerealm_up{part=\"sessions\"} 1",
        "homerealm_login_writes_waiting 0",
        "homerealm_http_request_duration_seconds_count{method=\"GET\",route=\"/saml/{connection}/metadata\",status=\"4xx\"} 1",
        "homerealm_http_request_duration_seconds_count{method=\"GET\",route=\"unmatched\",status=\"4xx\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(text.contains("homerealm_signing_key_age_seconds{alg=\"ES256\"} "), "{text}");
    assert!(text.contains("homerealm_catalog_reads_total{from=\"database\"} "), "{text}");
    assert!(!text.contains("alice") && !text.contains("acme"), "{text}");
    assert_eq!(get(format!("{public}/metrics")).await.0, 404);
    running.stop().await;
}

#[actix_web::test]
async fn without_an_address_there_are_none() {
    let (running, _folder) = broker("").await;
    assert!(running.metrics_address.is_none());
    running.stop().await;
}
