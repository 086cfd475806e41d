use super::*;

const ISSUER: &str = "https://login.example.com";

fn way_back(redirect_uri: &str) -> WayBack<'_> {
    WayBack {
        redirect_uri,
        response_mode: ResponseMode::Query,
        state: Some("s t&a=te#"),
        issuer: ISSUER,
    }
}

fn url_of(answer: Answer) -> String {
    let Answer::Redirect { url } = answer else { panic!("not a redirect: {answer:?}") };
    url
}

#[test]
fn an_error_goes_back_with_state_and_issuer() {
    let url = url_of(way_back("https://app.example/cb").error("invalid_scope", "No such scope."));

    assert_eq!(
        url,
        "https://app.example/cb?error=invalid_scope&error_description=No+such+scope.\
         &state=s+t%26a%3Dte%23&iss=https%3A%2F%2Flogin.example.com"
    );
}

#[test]
fn what_the_redirect_uri_has_stays_as_it_is() {
    let code = |uri: &str| url_of(WayBack { state: None, ..way_back(uri) }.with(&[("code", "c")]));

    let rest = "code=c&iss=https%3A%2F%2Flogin.example.com";
    assert_eq!(code("https://app.example"), format!("https://app.example?{rest}"));
    assert_eq!(code("https://app.example/cb?"), format!("https://app.example/cb?{rest}"));
    assert_eq!(
        code("https://app.example/cb?a=%20b"),
        format!("https://app.example/cb?a=%20b&{rest}")
    );
    assert_eq!(code("com.example.app:/cb"), format!("com.example.app:/cb?{rest}"));
}

#[test]
fn form_post_carries_the_same_parameters() {
    let posted =
        WayBack { response_mode: ResponseMode::FormPost, ..way_back("https://app.example/cb") };

    let answer = posted.with(&[("code", "c")]);

    let field = |n: &str, v: &str| (n.to_owned(), v.to_owned());
    let fields = vec![field("code", "c"), field("state", "s t&a=te#"), field("iss", ISSUER)];
    assert_eq!(answer, Answer::FormPost { action: "https://app.example/cb".to_owned(), fields });
}

#[test]
fn debug_output_holds_no_code() {
    let answer = way_back("https://app.example/cb").with(&[("code", "s3cret")]);
    assert!(!format!("{answer:?}").contains("s3cret"));
}
