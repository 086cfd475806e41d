//! `POST /oauth/revoke` (RFC 7009).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::token::{answered, uncached};
use crate::app::App;
use crate::oauth::revocation;
use crate::oauth::token::TokenRequest;

pub(super) async fn revoke(
    app: web::Data<App>,
    request: HttpRequest,
    body: String,
) -> HttpResponse {
    let revoked = async |asked: TokenRequest<'_>| {
        revocation::revoke(&app, asked, app.now()).await?;
        // §2.2: the status says everything
        Ok(uncached(StatusCode::OK).finish())
    };
    answered(&app, &request, &body, revoked).await
}
