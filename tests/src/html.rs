//! What a browser sees in a page: its forms, its words, its reference.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// A page as it arrived.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it came from.
    pub url: Url,
    /// HTTP status.
    pub status: StatusCode,
    /// Response header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

/// A form as a page shows it.
#[derive(Clone, Debug)]
pub struct Form {
    /// The page that it stands on.
    pub page: Url,
    /// Where it goes.
    pub action: Url,
    /// By GET rather than POST.
    pub is_get: bool,
    /// Names and values of its fields; buttons apart.
    pub fields: Vec<(String, String)>,
    /// Names and values of its named buttons.
    pub buttons: Vec<(String, String)>,
}

impl Page {
    /// The first form.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        let document = Html::parse_document(&self.body);
        let form = document.select(&selector("form")).next()?;
        let attribute = |element: ElementRef<'_>, name: &str| {
            element.value().attr(name).unwrap_or_default().to_owned()
        };
        let action = self.url.join(&attribute(form, "action")).unwrap();
        let named = |css: &str| -> Vec<(String, String)> {
            let wanted = selector(css);
            let found = form.select(&wanted);
            found.map(|e| (attribute(e, "name"), attribute(e, "value"))).collect()
        };
        Some(Form {
            page: self.url.clone(),
            action,
            is_get: !attribute(form, "method").eq_ignore_ascii_case("post"),
            fields: named("input[name]:not([type=submit])"),
            buttons: named("button[name], input[type=submit][name]"),
        })
    }

    /// The reference in `data-reference`, which must stand in the text as well.
    #[must_use]
    pub fn reference(&self) -> Option<String> {
        let document = Html::parse_document(&self.body);
        let element = document.select(&selector("[data-reference]")).next()?;
        let reference = element.value().attr("data-reference")?.to_owned();
        let text: String = element.text().collect();
        assert!(text.contains(&reference), "the reference is not in the text: {text}");
        Some(reference)
    }

    /// The words of the page.
    #[must_use]
    pub fn text(&self) -> String {
        let document = Html::parse_document(&self.body);
        let body = document.select(&selector("body")).next();
        let words = body.map(|body| body.text().collect::<String>()).unwrap_or_default();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Where its links go.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        let document = Html::parse_document(&self.body);
        let links = selector("a[href]");
        let found = document.select(&links);
        found.filter_map(|link| link.value().attr("href").map(str::to_owned)).collect()
    }

    /// A header field's text; empty where it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl Form {
    /// A field's value.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Fills a field in, or adds it.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whether one of its buttons has this name.
    #[must_use]
    pub fn has_button(&self, name: &str) -> bool {
        self.buttons.iter().any(|(n, _)| n == name)
    }

    /// Presses a button.
    #[must_use]
    pub fn press(mut self, name: &str, value: &str) -> Self {
        let button = (name.to_owned(), value.to_owned());
        assert!(self.buttons.contains(&button), "no button {button:?} among {:?}", self.buttons);
        self.fields.push(button);
        self
    }

    /// Whether a browser with JavaScript sends it without a person: a SAML message or an authorization response.
    #[must_use]
    pub fn is_automatic(&self) -> bool {
        let answer = || {
            self.field("state").is_some()
                && (self.field("code").is_some() || self.field("error").is_some())
        };
        self.field("SAMLResponse").is_some() || self.field("SAMLRequest").is_some() || answer()
    }
}

fn selector(css: &str) -> Selector {
    Selector::parse(css).unwrap()
}
