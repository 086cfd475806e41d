//! Which web pages may read our answers to a client (CORS).

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
