use url::form_urlencoded::byte_serialize;

use crate::http::Secret;

/// How we authenticate at the token endpoint (RFC 6749 §2.3, OIDC Core §9).
pub(crate) enum ClientAuthentication<'a> {
    Basic(&'a Secret),
    Post(&'a Secret),
    Public,
}

impl<'a> ClientAuthentication<'a> {
    /// As configured, else basic where the provider takes it (the default where it is silent), else post.
    ///
    /// # Errors
    /// What the provider or the connection would have to have.
    pub(crate) fn choose(
        method: Option<&str>,
        secret: Option<&'a Secret>,
        announced: &[String],
    ) -> Result<Self, &'static str> {
        let takes = |method: &str| announced.iter().any(|known| known == method);
        match (method, secret) {
            (Some("client_secret_basic"), Some(secret)) => Ok(Self::Basic(secret)),
            (Some("client_secret_post"), Some(secret)) => Ok(Self::Post(secret)),
            (Some("none"), _) | (None, None) => Ok(Self::Public),
            (None, Some(secret)) if announced.is_empty() || takes("client_secret_basic") => {
                Ok(Self::Basic(secret))
            }
            (None, Some(secret)) if takes("client_secret_post") => Ok(Self::Post(secret)),
            (None, Some(_)) => Err("client_secret_basic or client_secret_post"),
            (Some(_), None) => Err("a client secret on the connection"),
            (Some(_), Some(_)) => Err("client_secret_basic, client_secret_post or none"),
        }
    }

    /// User and password of HTTP Basic; both halves are form-encoded before it joins them (RFC 6749 §2.3.1).
    pub(super) fn basic(&self, client_id: &str) -> Option<(String, Secret)> {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        match self {
            Self::Basic(secret) => {
                Some((encoded(client_id), Secret::from(encoded(secret.expose()))))
            }
            Self::Post(_) | Self::Public => None,
        }
    }

    /// What goes into the form.
    pub(super) fn fields(&self, client_id: &'a str) -> Vec<(&'static str, &'a str)> {
        match self {
            Self::Basic(_) => Vec::new(),
            Self::Post(secret) => {
                vec![("client_id", client_id), ("client_secret", secret.expose())]
            }
            Self::Public => vec![("client_id", client_id)],
        }
    }
}
