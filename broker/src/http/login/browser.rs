//! The browser behind a request: its login cookie, and whether a form post comes from our own pages (RULES 1, 30, 37).

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;

use crate::config::{Config, Issuer};
use crate::http::client_address;
use crate::login::Browser;

/// The browser as it shows itself. Two login cookies, as a neighbouring host could set one, count as none; other sites'
/// cookies do not matter, however they are written.
pub fn of(request: &HttpRequest, config: &Config) -> Browser {
    let address = client_address::of(request, &config.http.trusted_proxies);
    own_cookie(request, &config.issuer).at(address)
}

fn own_cookie(request: &HttpRequest, issuer: &Issuer) -> Browser {
    let name = cookie_name(issuer);
    let headers = request.headers().get_all(header::COOKIE);
    let pairs = headers.filter_map(|header| header.to_str().ok()).flat_map(|h| h.split(';'));
    let mut ours = pairs.filter_map(|pair| {
        let (sent, value) = pair.trim().split_once('=')?;
        (sent == name).then_some(value)
    });
    match (ours.next(), ours.next()) {
        (Some(value), None) => Browser::new(Some(value.to_owned())),
        _ => Browser::default(),
    }
}

/// The cookie that keeps the browser's secret until the browser is closed.
pub fn cookie(issuer: &Issuer, secret: &str) -> Cookie<'static> {
    Cookie::build(cookie_name(issuer), secret.to_owned())
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
            format!("{:?}", own_cookie(&request, &https()))
        };

        assert!(with(format!("__Host-hr_login={secret}")).contains("true"));
        assert!(with(format!("%; x; =; __Host-hr_login={secret}")).contains("true"));
        assert!(with(format!("hr_login_443={secret}")).contains("false"));
        assert!(with(format!("__Host-hr_login={secret}; __Host-hr_login=x")).contains("false"));
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
