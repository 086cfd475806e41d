use super::*;

fn name(text: &str) -> DistinguishedName {
    text.parse().unwrap()
}

#[test]
fn writing_and_spacing_of_types_do_not_matter_values_do() {
    assert_eq!(name("CN=app,O=Acme Ltd,C=GB"), name("cn=app, o = Acme Ltd ,2.5.4.6=GB"));
    assert_eq!(name("CN=app+UID=7"), name("UID=7+CN=app"));
    for other in ["CN=App,C=GB", "C=GB,CN=app", "CN=app", "CN=app,C=GB,C=GB", "CN=ap\\70,C=gb"] {
        assert_ne!(name("CN=app,C=GB"), name(other), "{other}");
    }
}

#[test]
fn escapes_are_those_of_rfc_4514() {
    // RFC 4514 §4
    assert_eq!(
        name("CN=James \\\"Jim\\\" Smith\\, III,DC=net").to_string(),
        "CN=James \\\"Jim\\\" Smith\\, III,DC=net"
    );
    assert_eq!(name("CN=Lu\\C4\\8Di\\C4\\87"), name("CN=Lučić"));
    assert_eq!(name("CN=\\ a\\ ").to_string(), "CN=\\ a\\ ");
    assert_eq!(name("CN=\\#a").to_string(), "CN=\\#a");
}

#[test]
fn what_is_no_name_is_refused() {
    for bad in [
        "",
        "CN",
        "CN=",
        "=x",
        "NOPE=x",
        "CN=a,",
        "CN=a,,C=GB",
        "CN=a+",
        "CN=a;C=GB",
        "CN=\"a\"",
        "CN=a\\",
        "CN=a\\zz",
        "CN=\\ff",
        "CN=#0401",
        "CN=a<b",
    ] {
        assert!(bad.parse::<DistinguishedName>().is_err(), "{bad}");
    }
}
