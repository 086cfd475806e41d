//! The operator's view of the demo: the last login traces, read from the management API with the admin token.
//!
//! It shows them to whoever opens it on this machine, which is why it is part of the demo and of nothing else.

use std::net::TcpListener;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};
use homerealm_connectors::http::{Outbound, Secret};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::pages::{self, TracePage, TracesPage};
use super::server::{self, Served};
use crate::catalog::LoginTrace;

/// What the view is started with.
#[derive(Debug)]
pub(super) struct Operator {
    /// The broker.
    pub(super) issuer: String,
    pub(super) token: Secret,
    pub(super) outbound: Outbound,
    /// Where a newcomer starts.
    pub(super) site: String,
}

#[derive(Deserialize)]
struct Listed {
    items: Vec<LoginTrace>,
}

/// Bytes of an answer of the management API.
const ANSWER: usize = 2 * 1024 * 1024;

impl Operator {
    /// Serves on this socket.
    pub(super) fn serve(self, listener: TcpListener) -> std::io::Result<Served> {
        let state = Data::new(self);
        server::serve(listener, move |routes| {
            routes
                .app_data(state.clone())
                .route("/", web::get().to(list))
                .route("/traces/{id}", web::get().to(read));
        })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let url = format!("{}/api/v1{path}", self.issuer);
        let url = Url::parse(&url).map_err(|e| e.to_string())?;
        let answer = self.outbound.get_bearer(&url, "application/json", &self.token, ANSWER).await;
        let answer = answer.map_err(|e| e.to_string())?;
        if answer.status != 200 {
            return Err(format!("The management API answered {}.", answer.status));
        }
        serde_json::from_slice(&answer.body).map_err(|e| e.to_string())
    }
}

async fn list(operator: Data<Operator>) -> HttpResponse {
    match operator.get::<Listed>("/login-traces?limit=50").await {
        Ok(listed) => {
            let page = TracesPage {
                traces: &listed.items,
                site: &operator.site,
                issuer: &operator.issuer,
            };
            pages::page(StatusCode::OK, &page)
        }
        Err(why) => pages::problem(StatusCode::BAD_GATEWAY, "The traces cannot be read", &why),
    }
}

async fn read(operator: Data<Operator>, id: Path<String>) -> HttpResponse {
    // ids and references hold nothing else
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return pages::problem(
            StatusCode::NOT_FOUND,
            "There is no such trace",
            "Look at the list.",
        );
    }
    match operator.get::<LoginTrace>(&format!("/login-traces/{id}")).await {
        Ok(trace) => {
            pages::page(StatusCode::OK, &TracePage { trace: &trace, issuer: &operator.issuer })
        }
        Err(why) => pages::problem(StatusCode::NOT_FOUND, "There is no such trace", &why),
    }
}
