//! `/simulate/home-realm`: where a user would be sent, and why. The same engine as a login's.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::body;
use super::failure::Failure;
use super::fields::Fields;
use crate::app::App;
use crate::catalog::{Client, Connection, EmailAddress};
use crate::login::access::closed;
use crate::login::facts::{self, Question};
use crate::login::failure::Failure as LoginFailure;
use crate::login::home_realm::{Asked, Candidate, Decision, EmailFact, Facts, decide};

/// `POST /simulate/home-realm`
pub(super) async fn home_realm(
    app: web::Data<App>,
    request: HttpRequest,
    body: web::Bytes,
) -> Result<HttpResponse, Failure> {
    let asked = read(body::object(&request, &body)?)?;
    let client = app.catalog.get::<Client>(&asked.client_id).await?;
    client.ok_or_else(|| Failure::field("client_id", "is not a client"))?;
    let question = Question {
        connection: asked.connection.as_deref(),
        organization: asked.organization.as_deref(),
        email: asked.email.as_ref(),
        remembered: asked.remembered.as_deref(),
    };
    let (kind, connections, reason, steps) =
        match facts::of_client(&app, &asked.client_id, question).await {
            Ok(facts) => {
                let (kind, connections, reason) = outcome(&decide(&facts));
                (kind, connections, reason, steps(&facts))
            }
            Err(barred @ LoginFailure::Barred(_)) => {
                ("refusal", Vec::new(), barred.code(), vec![barred.to_string()])
            }
            Err(_) => {
                let why = "The database is unavailable; try again.";
                return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, why));
            }
        };
    Ok(HttpResponse::Ok().json(json!({
        "decision": {"kind": kind, "connections": connections},
        "reason": reason,
        "steps": steps,
    })))
}

struct Simulation {
    client_id: String,
    connection: Option<String>,
    organization: Option<String>,
    email: Option<EmailAddress>,
    remembered: Option<String>,
}

fn read(object: Map<String, Value>) -> Result<Simulation, Failure> {
    let mut fields = Fields::new(object);
    let client_id = fields.text("client_id");
    let client_id = fields.require("client_id", client_id);
    let connection = fields.text("connection");
    let organization = fields.text("organization");
    let email = fields.parsed("email", |text| EmailAddress::parse(&text));
    let remembered = fields.text("remembered");
    let errors = fields.finish();
    let Some(client_id) = client_id.filter(|_| errors.is_empty()) else {
        return Err(Failure::fields(errors));
    };
    Ok(Simulation { client_id, connection, organization, email, remembered })
}

fn outcome(decision: &Decision) -> (&'static str, Vec<String>, &'static str) {
    let name = |connection: &Arc<Connection>| connection.name.to_string();
    match decision {
        Decision::Ask(reason) => ("ask", Vec::new(), reason.as_str()),
        Decision::Choose(all, reason) => {
            ("choice", all.iter().map(name).collect(), reason.as_str())
        }
        Decision::Connection(one, reason) => ("connection", vec![name(one)], reason.as_str()),
        Decision::Refused(refusal) => ("refusal", Vec::new(), refusal.code()),
        Decision::Suggest(one, reason) => ("suggestion", vec![name(one)], reason.as_str()),
    }
}

/// What was looked at, in the order of the decision.
fn steps(facts: &Facts) -> Vec<String> {
    let mut steps = Vec::new();
    match &facts.connection {
        Asked::Absent => steps.push("connection: not asked for".to_owned()),
        Asked::Unknown => steps.push("connection: there is none of that name".to_owned()),
        Asked::Found(candidate) => {
            steps.push(format!("connection: {}", standing(&facts.client, candidate)))
        }
    }
    match &facts.organization {
        Asked::Absent => steps.push("organization: not asked for".to_owned()),
        Asked::Unknown => steps.push("organization: there is none of that name".to_owned()),
        Asked::Found(asking) => steps.push(format!(
            "organization: {} ({}) owns {} connection(s)",
            asking.organization.name,
            if asking.organization.enabled { "enabled" } else { "disabled" },
            asking.connections.len()
        )),
    }
    match &facts.email {
        EmailFact::Absent => steps.push("e-mail domain: no address given".to_owned()),
        EmailFact::Domain(found) if found.is_empty() => {
            steps.push("e-mail domain: leads to no connection".to_owned());
        }
        EmailFact::Domain(found) => {
            for candidate in found {
                steps.push(format!("e-mail domain: {}", standing(&facts.client, candidate)));
            }
        }
    }
    for candidate in &facts.otherwise {
        steps.push(format!("unknown domains: {}", standing(&facts.client, candidate)));
    }
    if let Some(candidate) = &facts.remembered {
        steps.push(format!("remembered: {}", standing(&facts.client, candidate)));
    }
    steps
}

fn standing(client: &Client, candidate: &Candidate) -> String {
    let name = &candidate.connection.name;
    match closed(client, candidate) {
        None => format!("{name}: open to this client"),
        Some(closed) => format!("{name}: {}", closed.received()),
    }
}
