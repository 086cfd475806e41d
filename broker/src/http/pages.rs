//! The pages: askama templates over one layout. They work without JavaScript; nothing in them comes from another host.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;
use url::Url;

use super::error::RETRY_AFTER_SECONDS;

/// Asks for the e-mail address.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub struct LoginPage<'a> {
    /// The app's name.
    pub client_name: &'a str,
    /// Hidden fields.
    pub hidden: Hidden<'a>,
    /// Shown again after a mistake.
    pub email: &'a str,
    /// What was wrong with the address.
    pub problem: Option<FieldProblem<'a>>,
    /// What this browser used last.
    pub offer: Option<Choice<'a>>,
}

/// What is wrong with a field: beside it, and summed up above the form.
#[derive(Clone, Copy, Debug)]
pub struct FieldProblem<'a> {
    /// Beside the field, and in the summary as the link to it.
    pub text: &'a str,
    /// What to do about it, in the summary only; may be empty.
    pub advice: &'a str,
}

/// Asks which connection to use.
#[derive(Debug, Template)]
#[template(path = "choice.html")]
pub struct ChoicePage<'a> {
    /// The app's name.
    pub client_name: &'a str,
    /// Hidden fields.
    pub hidden: Hidden<'a>,
    /// Shown above the choices.
    pub email: &'a str,
    /// Two or more.
    pub choices: &'a [Choice<'a>],
}

/// Asks whether to go on with the account that this browser is signed in with.
#[derive(Template)]
#[template(path = "account.html")]
pub struct AccountPage<'a> {
    /// The app's name.
    pub client_name: &'a str,
    /// Hidden fields.
    pub hidden: Hidden<'a>,
    /// Who it is.
    pub name: &'a str,
    /// Their address, where it says more than the name; may be empty.
    pub email: &'a str,
}

/// One button of the choice.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Sent back.
    pub name: &'a str,
    /// Read by people.
    pub display_name: &'a str,
}

/// What a form of a login carries (RULES 30).
#[derive(Clone, Copy)]
pub struct Hidden<'a> {
    /// Handle of the login transaction.
    pub transaction: &'a str,
    /// Bound to transaction and browser.
    pub token: &'a str,
}

/// Says what happened, whose turn it is and what to do, with a reference.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// Heading and page title.
    pub title: &'a str,
    /// One to three sentences.
    pub text: &'a str,
    /// Stable code, for machines.
    pub code: &'a str,
    /// Names the trace; empty: there is none.
    pub reference: &'a str,
    /// A link that helps, ours or the app's registered home page.
    pub link: Option<Link<'a>>,
}

/// A visible link.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// Already checked: ours, https, or http on loopback.
    pub url: &'a str,
    /// What it says.
    pub text: &'a str,
}

/// A form that a served script submits at once, and a button submits without it.
#[derive(Template)]
#[template(path = "auto_submit.html")]
pub struct AutoSubmitPage<'a> {
    /// Heading and page title.
    pub title: &'a str,
    /// Where it goes.
    pub action: &'a str,
    /// Names and values, in order.
    pub fields: &'a [(String, String)],
}

impl std::fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(..)")
    }
}

impl std::fmt::Debug for AccountPage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountPage")
            .field("client_name", &self.client_name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AutoSubmitPage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AutoSubmitPage").field("title", &self.title).finish_non_exhaustive()
    }
}

/// The letter that stands for an app; nothing of it is fetched from anywhere.
pub fn initial(name: &str) -> String {
    let letter = name.chars().find(|c| c.is_alphanumeric());
    letter.map(|c| c.to_uppercase().collect()).unwrap_or_default()
}

/// A page whose forms stay with us.
pub fn page(status: StatusCode, template: &impl Template) -> HttpResponse {
    render(status, template, None)
}

/// A page that shows these origins in frames, separated by spaces; none: no frames (Front-Channel Logout §2).
pub fn page_with_frames(template: &impl Template, origins: &str) -> HttpResponse {
    let policy = super::edge::CONTENT_SECURITY_POLICY;
    let policy = if origins.is_empty() {
        policy.to_owned()
    } else {
        format!("{policy}; frame-src {origins}")
    };
    render(StatusCode::OK, template, Some(policy))
}

/// A page whose form may end at these sources, as a Content-Security-Policy names them (RULES 30).
pub fn page_with_form_to(
    status: StatusCode,
    template: &impl Template,
    sources: &str,
) -> HttpResponse {
    render(status, template, Some(policy(sources)))
}

/// A page that posts `fields` to `action` by itself: SAML HTTP-POST (SAML Bindings §3.5.4), OAuth 2.0 form post.
pub fn auto_submit(title: &str, action: &Url, fields: &[(String, String)]) -> HttpResponse {
    let page = AutoSubmitPage { title, action: action.as_str(), fields };
    // the IdP may lead straight on to another host; https covers them all
    let sources = format!("{} https:", source_of(action));
    page_with_form_to(StatusCode::OK, &page, &sources)
}

/// A page that posts to us again what another site posted, and may end at `ends_at`.
pub fn sent_again(
    action: &Url,
    fields: &[(String, String)],
    ends_at: Option<&Url>,
) -> HttpResponse {
    let page = AutoSubmitPage { title: "One moment", action: action.as_str(), fields };
    let sources = format!("https: {}", ends_at.map(source_of).unwrap_or_default());
    page_with_form_to(StatusCode::OK, &page, sources.trim_end())
}

/// How a Content-Security-Policy names where a URL leads: `https:`, the origin for http, the scheme for an app's own. It has
/// no word for an IPv6 address (CSP3 §2.3.1), so there the scheme must do.
pub fn source_of(url: &Url) -> String {
    match url.scheme() {
        "https" => "https:".to_owned(),
        "http" if matches!(url.host(), Some(url::Host::Ipv6(_))) => "http:".to_owned(),
        "http" => url.origin().ascii_serialization(),
        scheme => format!("{scheme}:"),
    }
}

fn render(status: StatusCode, template: &impl Template, policy: Option<String>) -> HttpResponse {
    let Ok(html) = template.render() else {
        tracing::error!("a page could not be rendered");
        return super::error::answer("/", StatusCode::INTERNAL_SERVER_ERROR, "Something broke.");
    };
    let mut response = HttpResponse::build(status);
    response.content_type("text/html; charset=utf-8");
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()));
    }
    if let Some(policy) = policy {
        response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
    }
    response.body(html)
}

fn policy(form_sources: &str) -> String {
    let ours = "form-action 'self'";
    super::edge::CONTENT_SECURITY_POLICY.replace(ours, &format!("{ours} {form_sources}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(template: &impl Template) -> String {
        template.render().unwrap()
    }

    const HIDDEN: Hidden<'static> = Hidden { transaction: "t", token: "k" };

    #[test]
    fn markup_from_outside_is_text() {
        let evil = "\"><script>alert(1)</script>";
        let pages = [
            html(&LoginPage {
                client_name: evil,
                hidden: HIDDEN,
                email: evil,
                problem: Some(FieldProblem { text: evil, advice: evil }),
                offer: None,
            }),
            html(&ChoicePage {
                client_name: evil,
                hidden: HIDDEN,
                email: evil,
                choices: &[Choice { name: evil, display_name: evil }],
            }),
            html(&ErrorPage { title: evil, text: evil, code: evil, reference: evil, link: None }),
            html(&AutoSubmitPage {
                title: evil,
                action: "https://idp.example/",
                fields: &[(evil.to_owned(), evil.to_owned())],
            }),
        ];
        for page in pages {
            assert!(!page.contains("<script>alert"), "{page}");
        }
    }

    #[test]
    fn an_app_without_a_letter_has_no_initial() {
        assert_eq!(initial("\u{201c}éclair\u{201d}"), "É");
        assert_eq!(initial("\u{2603}"), "");
    }

    #[test]
    fn a_problem_is_summed_up_with_the_focus_and_stands_beside_its_field() {
        let problem = FieldProblem { text: "Enter an address.", advice: "" };
        let page = html(&LoginPage {
            client_name: "App",
            hidden: HIDDEN,
            email: "x",
            problem: Some(problem),
            offer: None,
        });

        assert_eq!(page.matches("Enter an address.").count(), 2);
        assert_eq!(page.matches("autofocus").count(), 1);
        assert!(page.contains(r#"tabindex="-1" autofocus"#), "{page}");
        assert!(page.contains(r#"aria-describedby="email-problem""#), "{page}");
    }

    #[test]
    fn no_page_has_inline_script_or_style() {
        let page =
            html(&AutoSubmitPage { title: "t", action: "https://idp.example/", fields: &[] });

        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains(r#"<script src="/assets/submit.js""#));
        assert!(!page.contains("style=") && !page.contains("<style") && !page.contains("onload="));
    }

    #[test]
    fn the_error_page_shows_its_reference_to_people_and_programs() {
        let page = html(&ErrorPage {
            title: "t",
            text: "x",
            code: "saml_audience_mismatch",
            reference: "K7Q-93F-2MX",
            link: None,
        });

        assert!(page.contains(r#"data-reference="K7Q-93F-2MX""#));
        assert!(page.contains(">K7Q-93F-2MX<"));
    }

    #[test]
    fn forms_may_end_where_this_request_ends_and_nowhere_else() {
        let source = |url: &str| source_of(&Url::parse(url).unwrap());

        assert_eq!(source("https://app.example/cb"), "https:");
        assert_eq!(source("http://127.0.0.1:4711/cb"), "http://127.0.0.1:4711");
        assert_eq!(source("http://[::1]:4711/cb"), "http:");
        assert_eq!(source("com.example.app:/cb"), "com.example.app:");
        assert!(policy("https:").contains("form-action 'self' https:; base-uri 'none'"));
    }
}
