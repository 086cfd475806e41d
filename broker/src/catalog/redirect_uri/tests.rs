use proptest::prelude::*;

use super::*;

fn register(text: &str) -> Result<RedirectUri, InvalidRedirectUri> {
    RedirectUri::try_from(text.to_owned())
}

#[test]
fn takes_https_loopback_and_private_use_schemes() {
    for good in [
        "https://app.example",
        "https://app.example/",
        "https://app.example:8443/cb?x=1&y=%20",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:3000/cb",
        "http://127.0.0.2:3000/cb",
        "http://[::1]/cb",
        "http://[::1]:3000/cb",
        "com.example.app:/cb",
        "com.example.app://cb",
    ] {
        assert_eq!(register(good).unwrap().as_str(), good);
    }
}

#[test]
fn each_refusal_names_its_reason() {
    use InvalidRedirectUri as Bad;
    for (text, reason) in [
        ("https://app.example/cb#", Bad::Fragment),
        ("https://app.example/cb#x", Bad::Fragment),
        ("myapp:/cb", Bad::NoDomainInScheme),
        ("javascript:alert(1)", Bad::NoDomainInScheme),
        ("data:text/html,x", Bad::NoDomainInScheme),
        ("file:///etc/passwd", Bad::NoDomainInScheme),
        ("ftp://app.example/", Bad::NoDomainInScheme),
        ("https://APP.example/cb", Bad::NotPlain("https://app.example/cb".to_owned())),
        ("https://app.example:443/cb", Bad::NotPlain("https://app.example/cb".to_owned())),
        ("https://app.example/a/../cb", Bad::NotPlain("https://app.example/cb".to_owned())),
        ("https:app.example/cb", Bad::NotPlain("https://app.example/cb".to_owned())),
        ("https://app.example\\cb", Bad::NotPlain("https://app.example/cb".to_owned())),
        ("http://app.example/cb", Bad::PlainHttp),
        ("http://localhost/cb", Bad::PlainHttp),
        ("http://localhost.evil.example/cb", Bad::PlainHttp),
        ("http://127.0.0.1.evil.example/cb", Bad::PlainHttp),
        ("http://0.0.0.0/cb", Bad::PlainHttp),
        ("http://2130706433/cb", Bad::NotPlain("http://127.0.0.1/cb".to_owned())),
        ("", Bad::Unreadable),
        ("/cb", Bad::Unreadable),
        ("app.example/cb", Bad::Unreadable),
        ("https://", Bad::Unreadable),
        ("https://äpp.example/cb", Bad::Unreadable),
        ("https://app.example/c b", Bad::Unreadable),
        (" https://app.example/cb", Bad::Unreadable),
        ("https://app.example/cb\r\n", Bad::Unreadable),
        ("https://user@app.example/cb", Bad::UserInfo),
        ("https://user:pw@app.example/cb", Bad::UserInfo),
        ("https://@app.example/cb", Bad::UserInfo),
    ] {
        assert_eq!(register(text), Err(reason), "{text}");
    }
    assert!(register(&format!("https://app.example/{}", "a".repeat(LONGEST - 20))).is_ok());
    assert_eq!(
        register(&format!("https://app.example/{}", "a".repeat(LONGEST - 19))),
        Err(Bad::TooLong)
    );
}

/// THREATS A1.
#[test]
fn nothing_but_the_registered_text_matches() {
    let registered = "https://app.example/cb";
    assert!(matches(registered, "https://app.example/cb"));
    for trick in [
        "https://app.example/cb/",
        "https://app.example/cb/../evil",
        "https://app.example/cb/evil",
        "https://app.example/cbevil",
        "https://app.example/cb.evil",
        "https://app.example/CB",
        "https://APP.example/cb",
        "HTTPS://app.example/cb",
        "https://app.example/c%62",
        "https://app.example//cb",
        "https://app.example/./cb",
        "https://app.example/cb?",
        "https://app.example/cb?x=1",
        "https://app.example/cb#",
        "https://app.example/cb#evil",
        "https://app.example/cb%00",
        "https://app.example/cb ",
        "https://app.example:443/cb",
        "https://app.example:8443/cb",
        "https://app.example./cb",
        "https://app.example.evil.example/cb",
        "https://app.example@evil.example/cb",
        "https://evil.example\\@app.example/cb",
        "https://evil.example/https://app.example/cb",
        "https://evil.example/?https://app.example/cb",
        "https://sub.app.example/cb",
        "http://app.example/cb",
        "//app.example/cb",
        "/cb",
        "javascript:alert(1)//https://app.example/cb",
    ] {
        assert!(!matches(registered, trick), "{trick}");
    }
}

#[test]
fn on_a_loopback_address_only_the_port_is_free() {
    let registered = "http://127.0.0.1/cb";
    for good in ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"] {
        assert!(matches(registered, good), "{good}");
    }
    assert!(matches("http://[::1]:3000/cb?x=1", "http://[::1]:9/cb?x=1"));
    for trick in [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:3000/cb/",
        "http://127.0.0.1:3000/cb#x",
        "http://127.0.0.1:3000@evil.example/cb",
        "http://127.0.0.1:3000\\@evil.example/cb",
        "http://evil.example:3000/cb",
        "http://127.0.0.1.evil.example:3000/cb",
        "http://127.1:3000/cb",
        "http://2130706433:3000/cb",
        "http://0x7f.0.0.1:3000/cb",
        "http://127.0.0.2:3000/cb",
        "http://localhost:3000/cb",
        "http://[::1]:3000/cb",
        "http://[::ffff:127.0.0.1]:3000/cb",
        "https://127.0.0.1:3000/cb",
        "HTTP://127.0.0.1:3000/cb",
    ] {
        assert!(!matches(registered, trick), "{trick}");
    }
}

#[test]
fn on_other_hosts_the_port_is_not_free() {
    assert!(!matches("https://127.0.0.1/cb", "https://127.0.0.1:3000/cb"));
    assert!(!matches("http://localhost/cb", "http://localhost:3000/cb"));
}

proptest! {
    #[test]
    fn what_matches_is_equal_but_for_a_loopback_port(
        registered in "https?://(127\\.0\\.0\\.1|\\[::1\\]|app\\.example)(:[0-9]{1,5})?/[a-c/]{0,3}",
        requested in "https?://(127\\.0\\.0\\.1|\\[::1\\]|app\\.example)(:[0-9]{1,5})?/[a-c/]{0,3}",
    ) {
        let parts = |text: &str| {
            let url = Url::parse(text).ok()?;
            let host = url.host_str()?.to_owned();
            Some((url.scheme().to_owned(), host, text.splitn(4, '/').nth(3)?.to_owned()))
        };
        if matches(&registered, &requested) && registered != requested {
            let (ours, theirs) = (parts(&registered), parts(&requested));
            prop_assert_eq!(&ours, &theirs);
            let (scheme, host, _) = ours.unwrap();
            prop_assert!(scheme == "http" && host != "app.example");
        }
    }
}
