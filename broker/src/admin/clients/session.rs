//! What the body of a client says about single sign-on and logout.

use url::Url;

use super::draft::web_address;
use crate::admin::fields::Fields;
use crate::catalog::client::ClientSession;

/// Longest `default_max_age`, seconds: a year.
const LONGEST_AGE: u32 = 31_536_000;

pub(super) fn read(fields: &mut Fields, redirect_uris: &[String]) -> ClientSession {
    let default_max_age = fields.number("default_max_age", 0..=LONGEST_AGE);
    let backchannel_logout_uri = fields.parsed("backchannel_logout_uri", without_fragment);
    let frontchannel_logout_uri = fields.parsed("frontchannel_logout_uri", without_fragment);
    if let Some(uri) = &frontchannel_logout_uri
        && !redirect_uris.iter().any(|redirect_uri| is_same_origin(redirect_uri, uri))
    {
        let why = "must have the scheme, host and port of one of redirect_uris";
        fields.refuse("frontchannel_logout_uri", why);
    }
    ClientSession {
        default_max_age,
        backchannel_logout_uri,
        backchannel_logout_session_required: fields
            .flag("backchannel_logout_session_required")
            .unwrap_or(false),
        frontchannel_logout_uri,
        frontchannel_logout_session_required: fields
            .flag("frontchannel_logout_session_required")
            .unwrap_or(false),
    }
}

/// Back-Channel Logout §2.2, Front-Channel Logout §2: absolute, https, without a fragment.
fn without_fragment(text: String) -> Result<String, &'static str> {
    if text.contains('#') {
        return Err("must be an https address without a fragment");
    }
    web_address(text)
}

/// Front-Channel Logout §2: else an app could have our page open any other site's addresses.
fn is_same_origin(redirect_uri: &str, uri: &str) -> bool {
    match (Url::parse(redirect_uri), Url::parse(uri)) {
        (Ok(known), Ok(named)) => known.origin() == named.origin() && known.origin().is_tuple(),
        (Ok(_) | Err(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(body: &Value) -> Vec<String> {
        let mut fields = Fields::new(body.as_object().unwrap().clone());
        read(&mut fields, &["https://app.example/cb".to_owned(), "com.example:/cb".to_owned()]);
        fields.finish().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn logout_addresses_are_https_and_the_frame_is_of_the_apps_own_origin() {
        let good = json!({"backchannel_logout_uri": "https://other.example/logout?x=1",
            "frontchannel_logout_uri": "https://app.example/bye", "default_max_age": 0});
        assert_eq!(refused(&good), Vec::<String>::new());

        for (field, bad) in [
            ("backchannel_logout_uri", "http://app.example/logout"),
            ("backchannel_logout_uri", "https://app.example/logout#x"),
            ("backchannel_logout_uri", "https://user@app.example/logout"),
            ("frontchannel_logout_uri", "https://app.example:444/bye"),
            ("frontchannel_logout_uri", "https://evil.example/bye"),
            ("frontchannel_logout_uri", "com.example:/bye"),
        ] {
            assert_eq!(refused(&json!({ field: bad })), [field], "{bad}");
        }
        assert_eq!(refused(&json!({"default_max_age": -1})), ["default_max_age"]);
    }
}
