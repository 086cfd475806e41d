//! Mutual TLS in real handshakes (RFC 8705): authentication, and tokens that are bound to the certificate.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use reqwest::{Client as HttpClient, Identity, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::catalog::{Client, ClientAuthMethod};
use crate::oauth::fixtures::{Broker, CALLBACK, SECRET, VERIFIER, WEB, form};

const HOST: &str = "login.example";

/// A broker that asks for certificates, and the CA of those that it takes.
struct Site {
    broker: Broker,
    server: reqwest::Certificate,
    authority: Issuer<'static, KeyPair>,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
        let server = server.self_signed(&key).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&authority_key).unwrap();
        let sections = format!(
            "[tls]\ncert = \"{}\"\nkey = \"{}\"\n[client_certificates]\nask_in_tls = true\nca_file = \"{}\"\n",
            file("server.pem", &server.pem()),
            file("server.key", &key.serialize_pem()),
            file("ca.pem", &authority.pem()),
        );
        let issuer = format!("https://{HOST}");
        let broker = Broker::start_in(&sections, &[("HOMEREALM_ISSUER", &issuer)]).await;
        let server = reqwest::Certificate::from_pem(server.pem().as_bytes()).unwrap();
        let authority = Issuer::new(params, authority_key);
        Self { broker, server, authority, _folder: folder }
    }

    /// A certificate of the CA and its key.
    fn identity(&self, name: &str) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.authority).unwrap();
        Identity::from_pem((key.serialize_pem() + &signed.pem()).as_bytes()).unwrap()
    }

    fn client(&self, identity: Option<Identity>) -> HttpClient {
        let builder = HttpClient::builder()
            .no_proxy()
            .tls_certs_only([self.server.clone()])
            .resolve(HOST, self.broker.running.address);
        match identity {
            Some(identity) => builder.identity(identity),
            None => builder,
        }
        .build()
        .unwrap()
    }

    fn request(&self, client: &HttpClient, method: Method, path: &str) -> RequestBuilder {
        let port = self.broker.running.address.port();
        client.request(method, format!("https://{HOST}:{port}{path}"))
    }

    fn redemption(&self, client: &HttpClient, code: &str) -> RequestBuilder {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", WEB),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.request(client, Method::POST, "/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(&fields))
    }

    async fn new_code(&self) -> String {
        self.broker.code(&self.broker.grant().await).await
    }
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

#[actix_web::test]
async fn a_certificate_authenticates_its_client_and_binds_its_tokens() {
    let site = Site::start().await;
    site.broker
        .change::<Client>(WEB, |client| {
            client.token_endpoint_auth_method = ClientAuthMethod::TlsClientAuth;
            client.keys.tls.tls_client_auth_subject_dn = Some("CN=web".to_owned());
            client.requests.tls_client_certificate_bound_access_tokens = true;
        })
        .await;
    let (web, other, bare) = (
        site.client(Some(site.identity("web"))),
        site.client(Some(site.identity("other"))),
        site.client(None),
    );
    let code = site.new_code().await;

    for stranger in [&other, &bare] {
        let (status, body) = answer(site.redemption(stranger, &code)).await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));
    }
    let (status, tokens) = answer(site.redemption(&web, &code)).await;
    assert_eq!((status, &tokens["token_type"]), (200, &json!("Bearer")), "{tokens}");
    let token = tokens["access_token"].as_str().unwrap();
    let parsed = homerealm_certs::UnverifiedJws::parse(token).unwrap();
    let claims: Value = serde_json::from_slice(parsed.unverified_payload()).unwrap();
    assert_eq!(claims["cnf"]["x5t#S256"].as_str().unwrap().len(), 43);

    let userinfo =
        |client: &HttpClient| site.request(client, Method::GET, "/userinfo").bearer_auth(token);
    assert_eq!(answer(userinfo(&web)).await.0, 200);
    for thief in [&other, &bare] {
        let (status, body) = answer(userinfo(thief)).await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_token")));
    }
}

#[actix_web::test]
async fn who_shows_no_certificate_is_served_as_ever() {
    let site = Site::start().await;
    let bare = site.client(None);

    let (status, document) =
        answer(site.request(&bare, Method::GET, "/.well-known/openid-configuration")).await;
    assert_eq!(
        (status, &document["tls_client_certificate_bound_access_tokens"]),
        (200, &json!(true))
    );
    let code = site.new_code().await;
    let (status, tokens) =
        answer(site.redemption(&bare, &code).basic_auth(WEB, Some(SECRET))).await;
    assert_eq!((status, &tokens["token_type"]), (200, &json!("Bearer")), "{tokens}");
}

/// RFC 8705 §3.4.
#[actix_web::test]
async fn a_client_that_registered_for_bound_tokens_gets_no_others() {
    let site = Site::start().await;
    let bind =
        |client: &mut Client| client.requests.tls_client_certificate_bound_access_tokens = true;
    site.broker.change::<Client>(WEB, bind).await;
    let code = site.new_code().await;

    let refused = site.redemption(&site.client(None), &code).basic_auth(WEB, Some(SECRET));
    let (status, body) = answer(refused).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_request")));
    // any certificate will do to bind to, also one that nobody vouches for (RFC 8705 §4)
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    let own = Identity::from_pem((key.serialize_pem() + &own.pem()).as_bytes()).unwrap();
    let bound = site.redemption(&site.client(Some(own)), &code).basic_auth(WEB, Some(SECRET));
    assert_eq!(answer(bound).await.0, 200);
}
