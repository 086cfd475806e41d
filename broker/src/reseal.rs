//! A new master key: everything that the old one sealed is opened and sealed under the new one, at once or not at all.

use crate::catalog::reseal::{Anew, ResealError, Resealed};
use crate::catalog::{Catalog, Connection, ConnectionOptions, OAuth2Options, OidcOptions};
use crate::keys;
use crate::login::sealed;
use crate::seal::{SealError, Sealer};

/// Seals everything in the catalog under another master key. No broker may run on it meanwhile: it could open nothing
/// afterwards.
///
/// # Errors
/// [`ResealError`]; then nothing has changed.
pub async fn reseal(
    catalog: &Catalog,
    from: &Sealer,
    to: &Sealer,
) -> Result<Resealed, ResealError> {
    let key = |kid: &str, sealed: &str| keys::reseal(from, to, kid, sealed);
    let connection = |old: &Connection| of_connection(from, to, old);
    catalog.reseal(Anew { from, to, key: &key, connection: &connection }).await
}

fn of_connection(
    from: &Sealer,
    to: &Sealer,
    old: &Connection,
) -> Result<Option<Connection>, SealError> {
    let mut new = old.clone();
    let resealed = match &mut new.options {
        ConnectionOptions::OAuth2(OAuth2Options { sealed_client_secret, .. })
        | ConnectionOptions::Oidc(OidcOptions { sealed_client_secret, .. }) => {
            sealed_client_secret.as_mut().map(|secret| {
                let plain = sealed::open_client_secret(from, &old.id, secret)?;
                *secret = sealed::seal_client_secret(to, &old.id, &plain)?;
                Ok(())
            })
        }
        ConnectionOptions::Password(_) => None,
        ConnectionOptions::Saml(options) => options.sp_key.as_mut().map(|key| {
            let plain = sealed::open_sp_key(from, &old.id, key)?;
            *key = sealed::seal_sp_key(to, &old.id, &plain)?;
            Ok(())
        }),
    };
    Ok(resealed.transpose()?.map(|()| new))
}

#[cfg(test)]
mod tests;
