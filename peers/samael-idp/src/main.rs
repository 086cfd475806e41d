//! `samael-idp PORT USER`: a SAML IdP on 127.0.0.1 made of samael, signing in `USER` without asking.
//!
//! `GET /metadata` is its metadata; `GET /sso` takes an AuthnRequest by HTTP-Redirect and answers the page that posts the
//! signed Response.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use samael::crypto::{CertificateDer, Crypto, CryptoProvider as _};
use samael::idp::response_builder::{ResponseAttribute, build_response_template};
use samael::idp::sp_extractor::RequiredAttribute;
use samael::idp::verified_request::UnverifiedAuthnRequest;
use samael::idp::{CertificateParams, IdentityProvider, KeyType, Rsa};
use samael::schema::{AuthnRequest, Response};
use samael::signature::DigestAlgorithm;
use samael::traits::ToXml as _;
use url::Url;

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Idp {
    base: String,
    user: String,
    key: IdentityProvider,
    certificate: CertificateDer,
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().ok_or("usage: samael-idp PORT USER")?;
    let user = arguments.next().ok_or("usage: samael-idp PORT USER")?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    let key = IdentityProvider::generate_new(KeyType::Rsa(Rsa::Rsa2048))?;
    let names = CertificateParams {
        common_name: "samael-idp",
        issuer_name: "samael-idp",
        days_until_expiration: 30,
    };
    let certificate = key.create_certificate(&names)?;
    let idp = Idp { base: format!("http://127.0.0.1:{port}"), user, key, certificate };
    for stream in listener.incoming() {
        if let Err(error) = stream.map_err(Into::into).and_then(|stream| idp.serve(stream)) {
            eprintln!("{error}");
        }
    }
    Ok(())
}

impl Idp {
    /// One request a connection.
    fn serve(&self, mut stream: TcpStream) -> Outcome<()> {
        let target = read_target(&stream)?;
        let url = Url::parse(&self.base)?.join(&target)?;
        let answer = match url.path() {
            "/metadata" => Ok(("application/samlmetadata+xml", self.metadata())),
            "/sso" => self.sso(&url).map(|page| ("text/html", page)),
            _ => Err("no such page".into()),
        };
        let (status, kind, body) = match answer {
            Ok((kind, body)) => ("200 OK", kind, body),
            Err(error) => ("400 Bad Request", "text/plain", error.to_string()),
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        Ok(())
    }

    fn metadata(&self) -> String {
        format!(
            r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{base}/metadata"><IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{base}/sso"/></IDPSSODescriptor></EntityDescriptor>"#,
            base = self.base,
            certificate = STANDARD.encode(self.certificate.der_data()),
        )
    }

    fn sso(&self, url: &Url) -> Outcome<String> {
        let value = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
        let deflated = STANDARD.decode(value("SAMLRequest").ok_or("no SAMLRequest")?)?;
        let mut xml = String::new();
        flate2::read::DeflateDecoder::new(deflated.as_slice()).read_to_string(&mut xml)?;
        let request = UnverifiedAuthnRequest::from_xml(&xml)?.request;
        let acs = request.assertion_consumer_service_url.clone().ok_or("no ACS in the request")?;
        let signed = Crypto::sign_xml(
            self.response(&request, &acs)?.to_string()?,
            &self.key.export_private_key_der()?,
        )?;
        Ok(format!(
            r#"<!doctype html><title>Signed in</title><form method="post" action="{acs}"><input type="hidden" name="SAMLResponse" value="{}"><input type="hidden" name="RelayState" value="{}"><button>Continue</button></form>"#,
            STANDARD.encode(signed),
            value("RelayState").unwrap_or_default(),
        ))
    }

    /// samael's template, with what it leaves out and SAML Profiles §4.1.4.2 asks for, and with SHA-256 for its SHA-1.
    fn response(&self, request: &AuthnRequest, acs: &str) -> Outcome<Response> {
        let audience = request.issuer.as_ref().and_then(|i| i.value.as_deref()).ok_or("no Issuer")?;
        let named = |name: &str| RequiredAttribute { name: name.to_owned(), format: None };
        let attributes = [
            ResponseAttribute { required_attribute: named("email"), value: &self.user },
            ResponseAttribute { required_attribute: named("firstName"), value: "Alice" },
        ];
        let mut response = build_response_template(
            &self.certificate,
            &self.user,
            audience,
            &format!("{}/metadata", self.base),
            acs,
            &request.id,
            &attributes,
        );
        let end = Some(Utc::now() + TimeDelta::minutes(5));
        let confirmations = response
            .assertion
            .as_mut()
            .and_then(|a| a.subject.as_mut())
            .and_then(|s| s.subject_confirmations.as_mut());
        for confirmation in confirmations.into_iter().flatten() {
            if let Some(data) = confirmation.subject_confirmation_data.as_mut() {
                data.not_on_or_after = end;
            }
        }
        for reference in response.signature.iter_mut().flat_map(|s| &mut s.signed_info.reference) {
            reference.digest_method.algorithm = DigestAlgorithm::Sha256;
        }
        Ok(response)
    }
}

/// The request line's target; the header fields are read and left.
fn read_target(stream: &TcpStream) -> Outcome<String> {
    let mut lines = BufReader::new(stream.take(64 * 1024)).lines();
    let first = lines.next().ok_or("nothing was sent")??;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(first.split(' ').nth(1).ok_or("no target")?.to_owned())
}
