//! A browser: cookies as the standards have them, no JavaScript but the submitting of automatic forms, every step recorded.

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, StatusCode};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::app;
use crate::html::{Form, Page};

/// One request of a browser and what came back.
#[derive(Clone, Debug)]
pub struct Step {
    /// `GET` or `POST`.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// HTTP status.
    pub status: StatusCode,
    /// Where the answer led, if it was a redirect.
    pub location: Option<Url>,
}

/// Where a browser came to rest.
#[derive(Clone, Debug)]
pub enum Landing {
    /// A page for a person.
    Page(Box<Page>),
    /// At the client's redirect URI, with the parameters of the answer; nothing was sent there.
    Client(Vec<(String, String)>),
}

#[derive(Clone, Debug)]
struct Stored {
    host: String,
    path: String,
    name: String,
    value: String,
    same_site_none: bool,
}

/// One browser; a clone is another tab's view of the same moment, without sharing later cookies.
#[derive(Clone, Debug)]
pub struct Browser {
    http: Client,
    cookies: Vec<Stored>,
    client: String,
    /// Every request so far.
    pub steps: Vec<Step>,
}

/// Requests from one click to a page.
const MOST_STEPS: usize = 20;

impl Browser {
    /// Stops at addresses that start with `client`, which are the client's own.
    #[must_use]
    pub fn new(client: &str) -> Self {
        Self {
            http: app::client(),
            cookies: Vec::new(),
            client: client.to_owned(),
            steps: Vec::new(),
        }
    }

    /// Opens an address and follows redirects and automatic forms until a person is asked, or the client reached.
    pub async fn open(&mut self, url: &str) -> Landing {
        let page = self.get(url).await;
        self.go_on(page).await
    }

    /// Sends a form and goes on as [`Self::open`].
    pub async fn submit(&mut self, form: Form) -> Landing {
        if form.action.as_str().starts_with(&self.client) {
            return Landing::Client(form.fields);
        }
        let page = self.send_form(&form).await;
        self.go_on(page).await
    }

    /// One request, nothing followed.
    pub async fn get(&mut self, url: &str) -> Page {
        self.request(Method::GET, Url::parse(url).unwrap(), None, true).await
    }

    /// One form, nothing followed.
    pub async fn send_form(&mut self, form: &Form) -> Page {
        let text = Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        let same_site = form.page.host_str() == form.action.host_str();
        if form.is_get {
            let mut url = form.action.clone();
            url.set_query(Some(&text));
            return self.request(Method::GET, url, None, true).await;
        }
        self.request(Method::POST, form.action.clone(), Some(text), same_site).await
    }

    /// Opens an address and follows redirects, but stops before automatic forms: at the IdP's answer, say.
    pub async fn open_to_form(&mut self, url: &str) -> Page {
        let page = self.get(url).await;
        self.follow(page).await.page()
    }

    /// Follows redirects, but stops before automatic forms.
    pub async fn follow(&mut self, mut page: Page) -> Landing {
        for _ in 0..MOST_STEPS {
            let Some(location) = location(&page) else { return Landing::Page(Box::new(page)) };
            if location.as_str().starts_with(&self.client) {
                return Landing::Client(location.query_pairs().into_owned().collect());
            }
            page = self.request(Method::GET, location, None, true).await;
        }
        panic!("too many redirects: {:#?}", self.steps)
    }

    /// Goes on from a page that has arrived.
    pub async fn go_on(&mut self, page: Page) -> Landing {
        let mut landing = self.follow(page).await;
        for _ in 0..MOST_STEPS {
            let Landing::Page(page) = &landing else { return landing };
            let Some(form) = page.form().filter(Form::is_automatic) else { return landing };
            if form.action.as_str().starts_with(&self.client) {
                return Landing::Client(form.fields);
            }
            let page = self.send_form(&form).await;
            landing = self.follow(page).await;
        }
        panic!("too many forms: {:#?}", self.steps)
    }

    /// Forgets all cookies of a host.
    pub fn clear_cookies(&mut self, host: &str) {
        self.cookies.retain(|cookie| cookie.host != host);
    }

    /// Takes over what another tab was given meanwhile, as tabs of one browser share their cookies.
    pub fn take_cookies(&mut self, tab: &Self) {
        for cookie in &tab.cookies {
            let same = |c: &Stored| {
                (&c.host, &c.path, &c.name) == (&cookie.host, &cookie.path, &cookie.name)
            };
            self.cookies.retain(|c| !same(c));
            self.cookies.push(cookie.clone());
        }
    }

    /// Names of the cookies of a host.
    #[must_use]
    pub fn cookie_names(&self, host: &str) -> Vec<String> {
        let of_host = self.cookies.iter().filter(|cookie| cookie.host == host);
        of_host.map(|cookie| cookie.name.clone()).collect()
    }

    async fn request(&mut self, method: Method, url: Url, form: Option<String>, lax: bool) -> Page {
        let mut request = self.http.request(method.clone(), url.clone());
        let cookies = self.cookies_for(&url, lax);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies);
        }
        if let Some(form) = form {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        let response =
            request.send().await.unwrap_or_else(|e| panic!("{e:?} {:#?}", self.steps.last()));
        for cookie in response.headers().get_all(SET_COOKIE) {
            self.keep(&url, cookie.to_str().unwrap());
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await.unwrap();
        let page = Page { url: url.clone(), status, headers, body };
        self.steps.push(Step { method, url, status, location: location(&page) });
        page
    }

    /// RFC 6265 §5.4; `lax` is false for a cross-site POST (RFC 6265bis §5.8.3).
    fn cookies_for(&self, url: &Url, lax: bool) -> String {
        let fits = |cookie: &&Stored| {
            url.host_str() == Some(&cookie.host)
                && (url.path() == cookie.path
                    || url.path().starts_with(&format!("{}/", cookie.path.trim_end_matches('/'))))
                && (lax || cookie.same_site_none)
        };
        let sent = self.cookies.iter().filter(fits);
        sent.map(|c| format!("{}={}", c.name, c.value)).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, url: &Url, text: &str) {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let mut cookie = Stored {
            host: url.host_str().unwrap().to_owned(),
            path: "/".to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            same_site_none: false,
        };
        let mut gone = value.is_empty();
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key.to_ascii_lowercase().as_str() {
                "path" => value.clone_into(&mut cookie.path),
                "samesite" => cookie.same_site_none = value.eq_ignore_ascii_case("none"),
                "max-age" => gone |= value.trim_start_matches('-') != value || value == "0",
                "expires" => gone |= value.contains(" 1970 "),
                _ => {}
            }
        }
        let same =
            |c: &Stored| (&c.host, &c.path, &c.name) == (&cookie.host, &cookie.path, &cookie.name);
        self.cookies.retain(|c| !same(c));
        if !gone {
            self.cookies.push(cookie);
        }
    }
}

impl Landing {
    /// The page.
    ///
    /// # Panics
    /// Where the browser is at the client.
    #[must_use]
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => *page,
            Self::Client(answer) => panic!("at the client: {answer:?}"),
        }
    }
}

fn location(page: &Page) -> Option<Url> {
    if !page.status.is_redirection() {
        return None;
    }
    page.url.join(page.headers.get(LOCATION)?.to_str().ok()?).ok()
}
