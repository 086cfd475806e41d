use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use serde_json::{Value, json};

use super::*;
use crate::catalog::ClientAuthMethod;
use crate::oauth::client_authentication::{ClientAuthError, Credentials, authenticate};
use crate::oauth::fixtures::{Broker, SPA, WEB, form};
use crate::oauth::params::Params;

/// A CA in a file, and what it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn signs(&self, change: impl FnOnce(&mut CertificateParams)) -> ClientCertificate {
        let mut params = leaf();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        ClientCertificate::from_der(signed.der(), &[]).unwrap()
    }
}

/// Valid around the time of the tests' broker.
fn leaf() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["app.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2029, 12, 1);
    params.not_after = rcgen::date_time_ymd(2030, 2, 1);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Acme");
    params.distinguished_name.push(DnType::CommonName, "app");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

async fn broker(authority: &Authority) -> Broker {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).unwrap();
    let sections = format!("[client_certificates]\nca_file = \"{}\"\n", file.display());
    let broker = Broker::start_with(&sections).await;
    broker
        .change::<Client>(WEB, |client| {
            client.token_endpoint_auth_method = ClientAuthMethod::TlsClientAuth;
            client.keys.tls.tls_client_auth_subject_dn = Some("CN=app,O=Acme".to_owned());
        })
        .await;
    broker
}

async fn shown(broker: &Broker, certificate: Option<&ClientCertificate>) -> bool {
    let params = Params::parse(&form(&[("client_id", WEB)])).unwrap();
    let credentials = Credentials { authorization: None, certificate, params: &params };
    match authenticate(broker.app(), credentials, broker.now()).await {
        Ok(client) => client.client().client_id == WEB,
        Err(ClientAuthError::Refused) => false,
        Err(other) => panic!("{other}"),
    }
}

#[actix_web::test]
async fn a_certificate_of_the_ca_with_the_registered_name_authenticates() {
    let (authority, other) = (Authority::new("Acme CA"), Authority::new("Acme CA"));
    let broker = broker(&authority).await;
    let good = authority.signs(|_| {});

    assert!(shown(&broker, Some(&good)).await);
    assert!(!shown(&broker, None).await);
    // a CA of the same name is another CA
    assert!(!shown(&broker, Some(&other.signs(|_| {}))).await);
    let renamed = authority.signs(|leaf| leaf.distinguished_name.push(DnType::CommonName, "web"));
    assert!(!shown(&broker, Some(&renamed)).await);
    let for_servers = authority
        .signs(|leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    assert!(!shown(&broker, Some(&for_servers)).await);
    let self_signed = leaf().self_signed(&KeyPair::generate().unwrap()).unwrap();
    let self_signed = ClientCertificate::from_der(self_signed.der(), &[]).unwrap();
    assert!(!shown(&broker, Some(&self_signed)).await);
}

#[actix_web::test]
async fn a_certificate_counts_until_its_last_second() {
    let authority = Authority::new("Acme CA");
    let broker = broker(&authority).await;
    let good = authority.signs(|_| {});

    // 2030-01-01 to 2030-02-01
    broker.clock.advance(31 * 86_400);
    assert!(shown(&broker, Some(&good)).await);
    broker.clock.advance(1);
    assert!(!shown(&broker, Some(&good)).await);
    let early = authority.signs(|leaf| {
        leaf.not_before = rcgen::date_time_ymd(2030, 3, 1);
        leaf.not_after = rcgen::date_time_ymd(2030, 4, 1);
    });
    assert!(!shown(&broker, Some(&early)).await);
}

#[actix_web::test]
async fn a_registered_name_in_the_alternative_names_counts_alone() {
    let authority = Authority::new("Acme CA");
    let broker = broker(&authority).await;
    let name = |dns: &str| Some(dns.to_owned());
    broker
        .change::<Client>(WEB, |client| {
            client.keys.tls.tls_client_auth_subject_dn = None;
            client.keys.tls.tls_client_auth_san_dns = name("app.example");
        })
        .await;
    assert!(shown(&broker, Some(&authority.signs(|_| {}))).await);

    broker
        .change::<Client>(WEB, |client| client.keys.tls.tls_client_auth_san_dns = name("example"))
        .await;
    assert!(!shown(&broker, Some(&authority.signs(|_| {}))).await);
}

#[actix_web::test]
async fn without_a_ca_nobody_is_vouched_for() {
    let authority = Authority::new("Acme CA");
    let broker = Broker::start().await;
    broker
        .change::<Client>(WEB, |client| {
            client.token_endpoint_auth_method = ClientAuthMethod::TlsClientAuth;
            client.keys.tls.tls_client_auth_subject_dn = Some("CN=app,O=Acme".to_owned());
        })
        .await;
    assert!(!shown(&broker, Some(&authority.signs(|_| {}))).await);
}

/// A key set with this certificate beside its key.
fn published(certificate: &rcgen::Certificate, key: &KeyPair) -> Value {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let point = key.public_key_raw();
    json!({"keys": [{
        "kty": "EC", "crv": "P-256", "x5c": [STANDARD.encode(certificate.der())],
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
    }]})
}

#[actix_web::test]
async fn a_self_signed_certificate_must_be_the_registered_one() {
    let broker = Broker::start().await;
    let key = KeyPair::generate().unwrap();
    let (certificate, again) = (leaf().self_signed(&key).unwrap(), {
        let mut params = leaf();
        params.distinguished_name.push(DnType::CountryName, "GB");
        params.self_signed(&key).unwrap()
    });
    let jwks = published(&certificate, &key);
    broker
        .change::<Client>(WEB, |client| {
            client.token_endpoint_auth_method = ClientAuthMethod::SelfSignedTlsClientAuth;
            client.keys.jwks = Some(jwks);
        })
        .await;
    let read = |made: &rcgen::Certificate| ClientCertificate::from_der(made.der(), &[]).unwrap();

    assert!(shown(&broker, Some(&read(&certificate))).await);
    assert!(!shown(&broker, None).await);
    assert!(!shown(&broker, Some(&read(&again))).await, "another certificate for the same key");
}

#[actix_web::test]
async fn a_certificate_beside_a_public_client_or_a_secret_authenticates_nobody_else() {
    let authority = Authority::new("Acme CA");
    let broker = broker(&authority).await;
    let certificate = authority.signs(|_| {});
    let asked = async |fields: &[(&str, &str)]| {
        let params = Params::parse(&form(fields)).unwrap();
        let certificate = Some(&certificate);
        let credentials = Credentials { authorization: None, certificate, params: &params };
        authenticate(broker.app(), credentials, broker.now()).await.is_ok()
    };

    assert!(asked(&[("client_id", SPA)]).await, "a public client may show one");
    assert!(!asked(&[("client_id", "app_machine")]).await);
    assert!(!asked(&[("client_id", WEB), ("client_secret", "x")]).await);
    assert!(!asked(&[]).await);
}
