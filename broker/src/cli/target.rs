//! The broker that a command works on: a running one by its address, else this process opens the database itself and talks
//! to a management API of its own on a loopback port, so that both ways are the same.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use homerealm_certs::SystemRandom;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, HeaderValue, IF_MATCH};
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::{Host, Url};

use super::{TOKEN_VARIABLE, load};
use crate::config::Config;
use crate::ids;
use crate::startup::data_folder::read_secret_file;
use crate::startup::{self, Running, Startup};

/// Which broker.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// Address of a running broker; without it the database of the configuration is opened, which no broker may have open
    #[arg(long)]
    url: Option<Url>,
    /// Token of its management API; safer in HOMEREALM_TOKEN or a file, where other users do not see it
    #[arg(long, requires = "url", value_parser = secret)]
    token: Option<SecretString>,
    /// File that holds the token
    #[arg(long, requires = "url", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// TOML file, as for `serve`; not used with --url
    #[arg(long, conflicts_with = "url")]
    config: Option<PathBuf>,
}

/// A management API to talk to.
pub(super) struct Api {
    base: String,
    host: Option<String>,
    token: SecretString,
    http: reqwest::Client,
    running: Option<Running>,
}

/// What it answered.
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) etag: Option<String>,
}

/// The longest that an answer may take: the doctor calls on every identity provider.
const DEADLINE: Duration = Duration::from_secs(120);

impl Target {
    /// Whether a running broker is named.
    pub(super) const fn is_remote(&self) -> bool {
        self.url.is_some()
    }

    /// The file of the configuration.
    pub(super) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// Connects, or opens the database.
    pub(super) async fn open(&self) -> anyhow::Result<Api> {
        match &self.url {
            Some(url) => {
                let (base, http) = (base(url)?, client()?);
                Ok(Api { base, host: None, token: self.token()?, http, running: None })
            }
            None => Api::in_process(load(self.config())?).await,
        }
    }

    fn token(&self) -> anyhow::Result<SecretString> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        if let Some(path) = &self.token_file {
            let named = || path.display().to_string();
            let token = read_secret_file(path).with_context(named)?;
            let token = token.with_context(|| format!("there is no file {}", named()))?;
            return Ok(SecretString::from(token.as_str()));
        }
        match std::env::var(TOKEN_VARIABLE) {
            Ok(token) if !token.is_empty() => Ok(SecretString::from(token)),
            Ok(_) | Err(_) => bail!("a token is needed: --token-file, --token or {TOKEN_VARIABLE}"),
        }
    }
}

fn client() -> anyhow::Result<reqwest::Client> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(DEADLINE);
    Ok(client.build()?)
}

/// The token must not travel in the clear.
fn base(url: &Url) -> anyhow::Result<String> {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
        bail!("--url must be https, or http on this machine: the token would travel in the clear");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

impl Api {
    /// Opens the database with everything round it, for this process alone.
    pub(super) async fn in_process(mut config: Config) -> anyhow::Result<Self> {
        let token = SecretString::from(ids::secret(&SystemRandom));
        config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.issuer_follows_listen = false;
        config.tls = None;
        config.http.trusted_proxies.clear();
        config.limits.enabled = false;
        config.metrics.listen = None;
        config.admin.token = Some(token.clone());
        config.admin.by_command = true;
        let host = (!config.issuer.is_https()).then(|| config.issuer.authority().to_owned());
        let running = startup::start(Startup::new(config)).await.map_err(|error| {
            let in_use = matches!(error, startup::StartupError::FolderInUse { .. });
            let error = anyhow::Error::new(error);
            if in_use { error.context("name the running broker with --url") } else { error }
        })?;
        let base = format!("http://{}", running.address);
        Ok(Self { base, host, token, http: client()?, running: Some(running) })
    }

    /// What was opened for this command.
    #[cfg(test)]
    pub(super) fn app(&self) -> Option<&crate::app::App> {
        self.running.as_ref().map(|running| running.app.as_ref())
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(path, self.request(Method::GET, path)?).await
    }

    /// `None` where there is no such object.
    pub(super) async fn find(&self, path: &str) -> anyhow::Result<Option<Answer>> {
        let response = self.request(Method::GET, path)?.send().await?;
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        read(path, response).await.map(Some)
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let request = self.request(Method::POST, path)?;
        self.send(path, request.header(CONTENT_TYPE, "application/json").body(body.to_string()))
            .await
    }

    pub(super) async fn patch(
        &self,
        path: &str,
        body: Map<String, Value>,
        etag: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let mut request = self.request(Method::PATCH, path)?;
        if let Some(etag) = etag {
            request = request.header(IF_MATCH, etag);
        }
        let body = Value::Object(body).to_string();
        self.send(path, request.header(CONTENT_TYPE, "application/merge-patch+json").body(body))
            .await
    }

    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.send(path, self.request(Method::DELETE, path)?).await.map(|_| ())
    }

    /// Every object of a list, page by page.
    pub(super) async fn all(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let next = cursor.map(|c| format!("&cursor={c}")).unwrap_or_default();
            let mut page = self.get(&format!("{path}?limit=200{next}")).await?.body;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                all.extend(items);
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(all),
            }
        }
    }

    /// Ends what was opened for this command.
    pub(super) async fn close(self) {
        if let Some(running) = self.running {
            running.stop().await;
        }
    }

    fn request(&self, method: Method, path: &str) -> anyhow::Result<RequestBuilder> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.token.expose_secret()))
            .context("the token has characters that a header cannot carry")?;
        bearer.set_sensitive(true);
        let request = self.http.request(method, format!("{}/api/v1{path}", self.base));
        let request = request.header(AUTHORIZATION, bearer);
        Ok(match &self.host {
            Some(host) => request.header(HOST, host),
            None => request,
        })
    }

    async fn send(&self, path: &str, request: RequestBuilder) -> anyhow::Result<Answer> {
        read(path, request.send().await?).await
    }
}

/// The body of a good answer; what a problem document says of another one (RFC 9457).
async fn read(path: &str, response: reqwest::Response) -> anyhow::Result<Answer> {
    let status = response.status();
    let etag = response.headers().get(ETAG).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let text = response.text().await?;
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(Answer { body, etag });
    }
    let mut why = body.get("detail").and_then(Value::as_str).unwrap_or_default().to_owned();
    for error in body.get("errors").and_then(Value::as_array).into_iter().flatten() {
        let text = |key| error.get(key).and_then(Value::as_str).unwrap_or_default();
        why = format!("{why} {}: {};", text("field"), text("message"));
    }
    bail!("{path} answered {}: {}", status.as_u16(), why.trim_end_matches(';'))
}

fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(SecretString::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_by_https_or_on_this_machine_only() {
        for (url, good) in [
            ("https://login.example.com", true),
            ("http://localhost:8080", true),
            ("http://127.0.0.1:8080/", true),
            ("http://[::1]:8080", true),
            ("http://login.example.com", false),
            ("http://localhost.example.com", false),
            ("ftp://localhost", false),
        ] {
            assert_eq!(base(&url.parse().unwrap()).is_ok(), good, "{url}");
        }
    }
}
