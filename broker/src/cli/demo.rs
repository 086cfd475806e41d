//! `homerealm demo [--port PORT]`.

use tokio::signal::unix::{SignalKind, signal};

use super::say;
use crate::demo::ports::Ports;
use crate::demo::{self, Demo};
use crate::telemetry;

pub(super) async fn run(port: u16) -> anyhow::Result<()> {
    telemetry::start_for_demo();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut demo = Box::pin(demo::start(Ports::starting_at(port))).await?;
    say(&announcement(&demo))?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        ended = demo.broker.until_it_ends() => ended?,
    }
    demo.stop().await;
    Ok(())
}

/// Where to click, and what is where; the admin token's file, never the token.
fn announcement(demo: &Demo) -> String {
    let issuer = demo.broker.issuer();
    let token = demo.broker.app.admin_token.file().unwrap_or_else(|| std::path::Path::new(""));
    format!(
        "\
Homerealm demo

  Open {site} and sign in, no password needed:
    as alice@acme.example   at Acme's sample identity provider, by SAML
    as bob@globex.example   at Globex's sample identity provider, by OpenID Connect

  What happened, check by check   {operator}
  Broker                          {issuer}
  Management API                  {issuer}/api/v1  token in {token}
  Sample API                      {api}
  Acme's sample IdP               {saml}
  Globex's sample IdP             {oidc}/.well-known/openid-configuration

  Everything runs on this machine only and is forgotten when you stop it: Ctrl-C.",
        site = demo.site.url("/"),
        operator = demo.operator.url("/"),
        token = token.display(),
        api = demo.api.url("/trips"),
        saml = demo.saml_idp.metadata_url(),
        oidc = demo.oidc_idp.issuer(),
    )
}
