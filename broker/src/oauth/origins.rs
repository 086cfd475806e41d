//! Where a client lives on the web: whose pages may read our answers to it (CORS), and where a link may lead.

use url::Url;

use crate::catalog::Client;

/// Whether `origin` is one of the client's: as registered, else those of its redirect URIs.
pub fn is_of_client(client: &Client, origin: &str) -> bool {
    if !client.web_origins.is_empty() {
        return client.web_origins.iter().any(|known| known == origin);
    }
    client.redirect_uris.iter().any(|uri| {
        let own = Url::parse(uri).map(|url| url.origin());
        own.is_ok_and(|own| own.is_tuple() && own.ascii_serialization() == origin)
    })
}

/// The host that a client is known by, where its `client_id` is an address.
pub fn host(client: &Client) -> Option<String> {
    let url = client.client_id.contains("://").then(|| Url::parse(&client.client_id).ok())??;
    url.host_str().map(str::to_owned)
}

/// The client's home page, if it is one that a page of ours may link to: https, or http on this machine.
pub fn home_page(client: &Client) -> Option<&str> {
    let text = client.client_uri.as_deref()?;
    let url = Url::parse(text).ok()?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    (url.scheme() == "https" || (url.scheme() == "http" && local)).then_some(text)
}
