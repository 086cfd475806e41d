//! A running broker with one customer, and a browser that follows no redirect.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use homerealm_certs::SystemRandom;
use reqwest::header::{HOST, LOCATION};
use tempfile::TempDir;
use url::Url;

use crate::app::App;
use crate::catalog::{Client, ClientKind, Connection, LoginTrace, Organization};
use crate::clock::Clock;
use crate::config::{Config, Issuer};
use crate::login::fixtures::{client, now, organization, request};
use crate::login::transaction::Browser;
use crate::login::{AuthorizationRequest, Started, Step, start};
use crate::startup::{Running, Startup};

/// A broker in the test's process.
pub(crate) struct Site {
    pub(crate) running: Running,
    http: reqwest::Client,
    clock: Arc<StandingClock>,
    _folder: TempDir,
}

/// What a page or redirect looks like from outside.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) policy: String,
    pub(crate) cookie: Option<String>,
    pub(crate) allowed_origin: Option<String>,
    pub(crate) body: String,
}

/// Stands still unless it is moved.
#[derive(Debug, Default)]
struct StandingClock(AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> DateTime<Utc> {
        now() + TimeDelta::minutes(self.0.load(Ordering::SeqCst))
    }
}

impl Site {
    /// With organization `acme`, its connection and the client `app`.
    pub(crate) async fn with(connections: &[Connection]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite:{}/hr.db\"\n[upstream]\nallow_http = true\nallow_private_addresses = true\n",
            folder.path().display()
        );
        let site = Self::serve(&text, folder, 0).await;
        let acme = organization("acme", &[("acme.example", true)]);
        site.app().catalog.insert(&acme).await.unwrap();
        for connection in connections {
            site.app().catalog.insert(connection).await.unwrap();
        }
        let first_party = client(ClientKind::FirstParty { organization: None });
        let uri = Some("https://app.example/".to_owned());
        site.app().catalog.insert(&Client { client_uri: uri, ..first_party }).await.unwrap();
        site
    }

    /// On what is in a folder already, as another broker's issuer, beginning at a minute.
    pub(crate) async fn restored(folder: TempDir, issuer: &Issuer, minute: i64) -> Self {
        let text = format!(
            "issuer = \"{issuer}\"\nlisten = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite:{}/hr.db\"\n",
            folder.path().display()
        );
        Self::serve(&text, folder, minute).await
    }

    async fn serve(text: &str, folder: TempDir, minute: i64) -> Self {
        let clock = Arc::new(StandingClock(AtomicI64::new(minute)));
        let config = Config::from_toml(text, []).unwrap();
        let startup = Startup { config, clock: clock.clone(), random: Arc::new(SystemRandom) };
        let running = crate::startup::start(startup).await.unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { running, http, clock, _folder: folder }
    }

    pub(crate) fn app(&self) -> &App {
        &self.running.app
    }

    /// Moves the clock to so many minutes after the beginning.
    pub(crate) fn at_minute(&self, minute: i64) {
        self.clock.0.store(minute, Ordering::SeqCst);
    }

    /// Begins a login and goes to the IdP: the transaction, the browser's cookie, the IdP's URL.
    pub(crate) async fn sent(&self, request: AuthorizationRequest) -> (String, Cookie, Url) {
        let Started { transaction, browser_secret, step, .. } =
            start(self.app(), &Browser::default(), request).await.unwrap();
        let Step::Upstream(homerealm_connectors::connector::Begun::Redirect { url }) = step else {
            panic!("not sent upstream: {step:?}");
        };
        (transaction, Cookie(browser_secret), url)
    }

    /// Begins a login that shows our page.
    pub(crate) async fn asked(&self) -> (String, Cookie) {
        let started = start(self.app(), &Browser::default(), request()).await.unwrap();
        assert!(matches!(started.step, Step::Page));
        (started.transaction, Cookie(started.browser_secret))
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        self.see(self.http.get(self.at(path)), headers).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Seen {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(self.at(path)).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.see(request, headers).await
    }

    /// The browser comes to `/login/continue`.
    pub(crate) async fn continued(&self, transaction: &str, cookie: &Cookie) -> Seen {
        let path = format!("/login/continue?transaction={transaction}");
        self.get(&path, &[("cookie", &self.cookie(cookie))]).await
    }

    /// The Cookie header of a browser.
    pub(crate) fn cookie(&self, cookie: &Cookie) -> String {
        format!("hr_login_{}={}", self.running.address.port(), cookie.0)
    }

    /// The trace that a page refers to.
    pub(crate) async fn trace(&self, page: &Seen) -> LoginTrace {
        let (_, rest) = page.body.split_once("data-reference=\"").unwrap();
        let reference = rest.split('"').next().unwrap();
        self.app().catalog.trace(reference).await.unwrap().unwrap()
    }

    /// Changes the organization.
    pub(crate) async fn change_acme(&self, change: impl FnOnce(&mut Organization)) {
        let found = self.app().catalog.get::<Organization>("acme").await.unwrap().unwrap();
        let mut acme = (*found.object).clone();
        change(&mut acme);
        self.app().catalog.update(&acme, None).await.unwrap();
    }

    /// Changes the client.
    pub(crate) async fn change_app(&self, change: impl FnOnce(&mut Client)) {
        let found = self.app().catalog.get::<Client>("app").await.unwrap().unwrap();
        let mut client = (*found.object).clone();
        change(&mut client);
        self.app().catalog.update(&client, None).await.unwrap();
    }

    /// Changes a connection.
    pub(crate) async fn change(&self, name: &str, change: impl FnOnce(&mut Connection)) {
        let found = self.app().catalog.get::<Connection>(name).await.unwrap().unwrap();
        let mut connection = (*found.object).clone();
        change(&mut connection);
        self.app().catalog.update(&connection, None).await.unwrap();
    }

    fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    async fn see(&self, mut request: reqwest::RequestBuilder, headers: &[(&str, &str)]) -> Seen {
        request = request.header(HOST, self.running.issuer().authority());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let text = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        Seen {
            status: response.status().as_u16(),
            location: text(LOCATION.as_str()),
            cookie: text("set-cookie"),
            policy: text("content-security-policy").unwrap_or_default(),
            allowed_origin: text("access-control-allow-origin"),
            body: response.text().await.unwrap(),
        }
    }
}

/// The login cookie's secret.
#[derive(Clone)]
pub(crate) struct Cookie(pub(super) String);

impl Cookie {
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(Some(self.0.clone()))
    }
}
