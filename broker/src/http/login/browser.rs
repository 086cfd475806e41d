//! The browser behind a request: its login cookie, and whether a form post comes from our own pages (RULES 1, 30, 37).

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;

use crate::catalog::Name;
use crate::config::{Config, Issuer};
use crate::http::client_address;
use crate::login::Browser;
use crate::login::session::SessionCookie;

/// The browser as it shows itself. Two cookies of one name, as a neighbouring host could set one, count as none; other sites'
/// cookies do not matter, however they are written.
pub fn of(request: &HttpRequest, config: &Config) -> Browser {
    let address = client_address::of(request, &config.http.trusted_proxies);
    own_cookies(request, &config.issuer).at(address)
}

fn own_cookies(request: &HttpRequest, issuer: &Issuer) -> Browser {
    let cookies = cookies(request);
    let shared = cookie_name(issuer);
    let of_first = format!("{shared}_");
    let first = cookies.iter().filter(|(name, _)| name.starts_with(&of_first));
    let first = first.filter_map(|(name, _)| only(&cookies, name));
    let session = only(&cookies, &session_cookie_name(issuer));
    let remembered = only(&cookies, &realm_cookie_name(issuer)).map(str::to_owned);
    Browser::new(only(&cookies, &shared).map(str::to_owned))
        .with_remembered(remembered)
        .with_first(first.map(str::to_owned))
        .with_session(session.and_then(SessionCookie::parse))
}

fn cookies(request: &HttpRequest) -> Vec<(&str, &str)> {
    let headers = request.headers().get_all(header::COOKIE);
    let pairs = headers.filter_map(|header| header.to_str().ok()).flat_map(|h| h.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).collect()
}

fn only<'a>(cookies: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    let mut named = cookies.iter().filter(|(sent, _)| *sent == name);
    match (named.next(), named.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

/// The cookie that keeps the browser's secret until the browser is closed.
pub fn cookie(issuer: &Issuer, secret: &str) -> Cookie<'static> {
    ours(issuer, cookie_name(issuer), secret.to_owned())
}

/// The same secret for one login, beside the shared cookie: of two tabs that open at once in a browser without cookies, the
/// later takes the shared cookie from the other.
pub fn first_cookie(issuer: &Issuer, transaction: &str, secret: &str) -> Cookie<'static> {
    let mark: String = transaction.chars().take(16).collect();
    let name = format!("{}_{mark}", cookie_name(issuer));
    let mut cookie = ours(issuer, name, secret.to_owned());
    cookie.set_max_age(Duration::seconds(FIRST_LOGIN_SECONDS));
    cookie
}

/// The cookie of the browser's session, until the browser is closed.
pub fn session_cookie(issuer: &Issuer, session: &SessionCookie) -> Cookie<'static> {
    ours(issuer, session_cookie_name(issuer), session.value())
}

/// Takes the cookie of the session away.
pub fn no_session_cookie(issuer: &Issuer) -> Cookie<'static> {
    let mut cookie = ours(issuer, session_cookie_name(issuer), String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

/// The name of the connection that this browser used last. It proves nothing: our page offers that connection, no more.
pub fn realm_cookie(issuer: &Issuer, connection: &Name) -> Cookie<'static> {
    let mut cookie = ours(issuer, realm_cookie_name(issuer), connection.to_string());
    cookie.set_max_age(Duration::days(REMEMBERED_DAYS));
    cookie
}

const REMEMBERED_DAYS: i64 = 180;

/// Seconds that a login may take from one step to the next.
const FIRST_LOGIN_SECONDS: i64 = 600;

fn ours(issuer: &Issuer, name: String, value: String) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(issuer.is_https())
        .same_site(SameSite::Lax)
        .finish()
}

/// `__Host-` keeps neighbours from setting it (RFC 6265bis §4.1.3.2). With http on loopback, ports share cookies, so the
/// name carries the port (RULES 37).
fn cookie_name(issuer: &Issuer) -> String {
    if issuer.is_https() {
        "__Host-hr_login".to_owned()
    } else {
        format!("hr_login_{}", issuer.port())
    }
}

fn session_cookie_name(issuer: &Issuer) -> String {
    if issuer.is_https() {
        "__Host-hr_session".to_owned()
    } else {
        format!("hr_session_{}", issuer.port())
    }
}

fn realm_cookie_name(issuer: &Issuer) -> String {
    if issuer.is_https() {
        "__Host-hr_realm".to_owned()
    } else {
        format!("hr_realm_{}", issuer.port())
    }
}

/// Whether a form post can come from one of our pages. `Origin: null` says nothing: browsers send it from our own pages too,
/// because of their `no-referrer` policy (Fetch §3.2); the form's token decides then.
pub fn posts_from_our_page(request: &HttpRequest, issuer: &Issuer) -> bool {
    let text = |name: header::HeaderName| {
        request.headers().get(name).map(|value| value.to_str().unwrap_or("unreadable"))
    };
    let site = text(header::HeaderName::from_static("sec-fetch-site"));
    let origin = text(header::ORIGIN);
    site.is_none_or(|site| matches!(site, "same-origin" | "none"))
        && origin.is_none_or(|origin| origin == issuer.as_str() || origin == "null")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn https() -> Issuer {
        Issuer::parse("https://login.example.com").unwrap()
    }

    #[test]
    fn the_cookie_is_host_bound_and_hidden_from_scripts() {
        let secret = "s".repeat(43);

        assert_eq!(
            cookie(&https(), &secret).to_string(),
            format!("__Host-hr_login={secret}; HttpOnly; SameSite=Lax; Secure; Path=/")
        );
        assert_eq!(
            cookie(&Issuer::localhost(8080), &secret).to_string(),
            format!("hr_login_8080={secret}; HttpOnly; SameSite=Lax; Path=/")
        );
    }

    #[test]
    fn two_cookies_of_our_name_count_as_none() {
        let secret = "s".repeat(43);
        let with = |text: String| {
            let request = TestRequest::default().insert_header(("cookie", text)).to_http_request();
            format!("{:?}", own_cookies(&request, &https()))
        };

        assert!(with(format!("__Host-hr_login={secret}")).contains("true"));
        assert!(with(format!("%; x; =; __Host-hr_login={secret}")).contains("true"));
        assert!(with(format!("hr_login_443={secret}")).contains("false"));
        assert!(with(format!("__Host-hr_login={secret}; __Host-hr_login=x")).contains("false"));
    }

    #[test]
    fn two_tabs_that_open_first_keep_a_cookie_each() {
        let [mine, newer] = ["a", "b"].map(|mark| mark.repeat(43));
        let transaction = "0123456789abcdef0123";

        let own = first_cookie(&https(), transaction, &mine);
        let text = format!("__Host-hr_login={newer}; {}={}", own.name(), own.value());
        let request = TestRequest::default().insert_header(("cookie", text)).to_http_request();
        let browser = own_cookies(&request, &https());

        assert_eq!(own.max_age().unwrap().whole_seconds(), 600);
        for secret in [&mine, &newer] {
            assert!(browser.made_form("h", &crate::login::transaction::form_token(secret, "h")));
        }
    }

    #[test]
    fn the_sessions_cookie_is_another_and_goes_with_the_session() {
        let session = SessionCookie::new(&homerealm_certs::SystemRandom);
        let cookie = session_cookie(&https(), &session);
        let request = TestRequest::default()
            .insert_header(("cookie", format!("{}={}", cookie.name(), cookie.value())))
            .to_http_request();

        assert_eq!(own_cookies(&request, &https()).session(), Some(&session));
        assert!(!own_cookies(&request, &https()).has_cookie());
        assert!(cookie.to_string().ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/"));
        assert!(no_session_cookie(&https()).to_string().contains("Max-Age=0"));
        assert_eq!(session_cookie(&Issuer::localhost(8080), &session).name(), "hr_session_8080");
    }

    #[test]
    fn posts_from_other_sites_are_told_apart() {
        let ask = |headers: &[(&'static str, &'static str)]| {
            let mut request = TestRequest::post();
            for header in headers {
                request = request.insert_header(*header);
            }
            posts_from_our_page(&request.to_http_request(), &https())
        };

        assert!(ask(&[]));
        assert!(ask(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(ask(&[("origin", "https://login.example.com")]));
        assert!(!ask(&[("sec-fetch-site", "cross-site"), ("origin", "null")]));
        assert!(!ask(&[("sec-fetch-site", "same-site")]));
        assert!(!ask(&[("origin", "https://evil.example")]));
        assert!(!ask(&[("origin", "https://login.example.com.evil.example")]));
    }
}
