//! Where the IdP's answers arrive: the ACS and the callback.

use std::net::IpAddr;

use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};

use super::fields::{Pairs, take};
use super::{answer, browser};
use crate::app::App;
use crate::http::client_address;
use crate::login::ErrorPage;
use crate::login::failure::Failure;
use crate::login::receive::{self, OidcCallback, Received, SamlForm};
use crate::login::trace::Trail;

/// `POST /saml/{connection}/acs`: a cross-site post, without cookies.
pub(super) async fn acs(
    app: Data<App>,
    request: HttpRequest,
    connection: Path<String>,
    form: Form<Pairs>,
) -> HttpResponse {
    let address = client_address::of(&request, &app.config.http.trusted_proxies);
    let mut form = form.into_inner();
    let read = take(&mut form, "SAMLResponse")
        .and_then(|response| Ok((response, take(&mut form, "RelayState")?)));
    let received = match read {
        Ok((response, relay_state)) => {
            receive::saml(&app, &connection, SamlForm { response, relay_state, address }).await
        }
        Err(_) => Err(Trail::at(address).failed(&app, Failure::ResponseMissing).await),
    };
    respond(&app, received).await
}

/// `GET /callback/{connection}`: a cross-site navigation, with the login cookie.
pub(super) async fn callback(
    app: Data<App>,
    request: HttpRequest,
    connection: Path<String>,
    query: Query<Pairs>,
) -> HttpResponse {
    let browser = browser::of(&request, &app.config);
    let address = browser.address();
    let received = match read(query.into_inner(), address) {
        Ok(callback) => receive::oidc(&app, &connection, callback, Some(&browser)).await,
        Err(_) => Err(Trail::at(address).failed(&app, Failure::CallbackMalformed).await),
    };
    respond(&app, received).await
}

/// `POST /callback/{connection}`: `response_mode=form_post`, without cookies.
pub(super) async fn form_post(
    app: Data<App>,
    request: HttpRequest,
    connection: Path<String>,
    form: Form<Pairs>,
) -> HttpResponse {
    let address = client_address::of(&request, &app.config.http.trusted_proxies);
    let received = match read(form.into_inner(), address) {
        Ok(callback) => receive::oidc(&app, &connection, callback, None).await,
        Err(_) => Err(Trail::at(address).failed(&app, Failure::CallbackMalformed).await),
    };
    respond(&app, received).await
}

fn read(mut pairs: Pairs, address: Option<IpAddr>) -> Result<OidcCallback, &'static str> {
    Ok(OidcCallback {
        code: take(&mut pairs, "code")?,
        error: take(&mut pairs, "error")?,
        error_description: take(&mut pairs, "error_description")?,
        iss: take(&mut pairs, "iss")?,
        state: take(&mut pairs, "state")?,
        address,
    })
}

async fn respond(app: &App, received: Result<Received, Box<ErrorPage>>) -> HttpResponse {
    match received {
        Ok(Received::Continue(transaction)) => {
            let path = format!("/login/continue?transaction={transaction}");
            answer::see_other(app.config.issuer.url(&path).as_str())
        }
        Ok(Received::StartAt(url)) => answer::see_other(url.as_str()),
        Err(page) => answer::error_page(app, &page).await,
    }
}
