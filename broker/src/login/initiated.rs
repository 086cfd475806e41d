//! A login that the IdP started itself: never an answer to a client, only a reason to start one there (RULES 11, THREATS S55).

use url::Url;

use super::access::is_open_to;
use super::failure::Failure;
use super::standing;
use super::trace::Trail;
use crate::app::App;
use crate::catalog::Connection;

/// The client's own start of a login (OIDC Core §4), where the connection leads to exactly one client that has one.
pub(super) async fn restart(
    app: &App,
    connection: &Connection,
    trail: &mut Trail,
) -> Result<Url, Failure> {
    let [client_id] = connection.clients.as_slice() else {
        return Err(Failure::UnsolicitedWithoutApp);
    };
    if client_id == "*" {
        return Err(Failure::UnsolicitedWithoutApp);
    }
    let client = standing::client(app, client_id).await?;
    trail.client_id = Some(client.client_id.clone());
    let start = client.initiate_login_uri.as_deref().and_then(|uri| Url::parse(uri).ok());
    let start = start.filter(|url| url.scheme() == "https" || is_http_loopback(url));
    let Some(mut url) = start.filter(|_| connection.enabled && is_open_to(&client, connection))
    else {
        return Err(Failure::UnsolicitedWithoutApp);
    };
    url.query_pairs_mut()
        .append_pair("iss", app.config.issuer.as_str())
        .append_pair("connection", connection.name.as_str());
    Ok(url)
}

fn is_http_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
}
