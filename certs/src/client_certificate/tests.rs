use rcgen::{CertificateParams, DnType, KeyPair, SanType};

use super::*;

fn certificate() -> ClientCertificate {
    let mut params = CertificateParams::new(vec!["App.Example".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "GB");
    params.distinguished_name.push(DnType::OrganizationName, "Acme, Ltd");
    params.distinguished_name.push(DnType::CommonName, "app");
    params.subject_alt_names.push(SanType::IpAddress("192.0.2.7".parse().unwrap()));
    params.subject_alt_names.push(SanType::Rfc822Name("app@acme.example".try_into().unwrap()));
    params.subject_alt_names.push(SanType::URI("https://app.example/a".try_into().unwrap()));
    let key = KeyPair::generate().unwrap();
    ClientCertificate::from_der(params.self_signed(&key).unwrap().der(), &[]).unwrap()
}

#[test]
fn each_name_of_the_certificate_is_found_and_no_other() {
    let certificate = certificate();
    let subject = |text: &str| CertificateName::Subject(text.parse().unwrap());

    for name in [
        subject("CN=app,O=Acme\\, Ltd,C=GB"),
        CertificateName::dns("app.example"),
        CertificateName::ip("192.0.2.7").unwrap(),
        CertificateName::Email("app@acme.example".to_owned()),
        CertificateName::Uri("https://app.example/a".to_owned()),
    ] {
        assert!(certificate.has(&name), "{name:?}");
    }
    for name in [
        subject("CN=app"),
        subject("C=GB,O=Acme\\, Ltd,CN=app"),
        subject("CN=App,O=Acme\\, Ltd,C=GB"),
        CertificateName::dns("example"),
        CertificateName::dns("app@acme.example"),
        CertificateName::ip("192.0.2.8").unwrap(),
        CertificateName::Uri("https://app.example/".to_owned()),
    ] {
        assert!(!certificate.has(&name), "{name:?}");
    }
}

#[test]
fn the_thumbprint_is_the_sha_256_of_the_der() {
    let certificate = certificate();
    let hash = hex::encode(crate::base64::from_base64url(certificate.thumbprint()).unwrap());
    assert_eq!(hash, crate::sha256_hex(certificate.der()));
}

#[test]
fn what_is_no_certificate_is_refused() {
    assert!(ClientCertificate::from_der(b"", &[]).is_err());
    let mut der = certificate().der().to_vec();
    der.push(0);
    assert!(ClientCertificate::from_der(&der, &[]).is_err());
}
