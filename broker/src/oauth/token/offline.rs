//! The refresh token that comes of a login: with the scope `offline_access`, for a client that may refresh.

use chrono::{DateTime, TimeDelta, Utc};

use super::Granted;
use crate::app::App;
use crate::catalog::GrantType;
use crate::oauth::client_authentication::AuthenticatedClient;
use crate::oauth::code::Gives;
use crate::oauth::confirmation::Confirmation;
use crate::oauth::error::Trouble;
use crate::oauth::refresh::{self, Beginning, Lifetimes, RefreshFamily, RefreshToken};
use crate::oauth::scope::OFFLINE_ACCESS;
use crate::oauth::token_issuer::access_token_lifetime;

/// A refresh family that begins, if one does.
pub(super) struct Begun(Option<(RefreshFamily, RefreshToken)>);

impl Begun {
    /// Of what a login gives a client, at every API. Nothing is stored yet.
    pub(super) fn of(
        app: &App,
        client: &AuthenticatedClient,
        (family, gives): (&str, &Gives),
        bound: Option<&Confirmation>,
        now: DateTime<Utc>,
    ) -> Self {
        // RFC 9449 §5: where no authentication keeps a thief from using it, the key does
        let confirmation = bound.filter(|_| !client.is_confidential()).cloned();
        let client = client.client();
        let may_refresh = client.grant_types.contains(&GrantType::RefreshToken);
        if !may_refresh || !gives.access.has_oidc(OFFLINE_ACCESS) {
            return Self(None);
        }
        let beginning = Beginning {
            family,
            client_id: &client.client_id,
            login: gives.login.clone(),
            access: gives.access.clone(),
            confirmation,
            lifetimes: Lifetimes::of(client, &app.config.refresh_tokens),
        };
        Self(Some(refresh::begin(beginning, app.random.as_ref(), now)))
    }

    /// How long something of the family may live: its refresh tokens, or the access token.
    pub(super) fn life(&self, granted: &Granted, now: DateTime<Utc>) -> TimeDelta {
        let access = access_token_lifetime(granted.target.api.as_deref());
        self.0.as_ref().map_or(access, |(family, _)| access.max(family.ends_at - now))
    }

    /// Writes it, beside the redemption of what it comes of: who loses that has no token of the family, and revokes it.
    pub(super) async fn store(
        &self,
        app: &App,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Trouble> {
        match &self.0 {
            Some((family, _)) => Ok(refresh::store(&app.records, name, family, now).await?),
            None => Ok(()),
        }
    }

    /// Puts its token into the answer.
    pub(super) fn give(self, granted: &mut Granted) {
        if let (Some(user), Some((_, token))) = (&mut granted.user, self.0) {
            user.refresh_token = Some(token.as_str().to_owned());
        }
    }
}
