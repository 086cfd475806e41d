//! The drill of the operator's guide: a copy of the database is taken from a broker at work and started elsewhere with the
//! master key; logins work, their users are who they were, and no assertion from before can be used again.

use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};

use super::harness::Site;
use super::idp::{Idp, Says};
use super::whole::{parameter, path, start};
use crate::catalog::{AuditFilter, Connection, ConnectionOptions};

/// Signs in; the user.
async fn sign_in(site: &Site, idp: &Idp, minute: i64) -> String {
    let (asked, cookie) = start(site, "connection=acme-saml").await;
    let handle = parameter(&asked, "RelayState");
    let says = Says { minute, ..Says::good(site.running.issuer(), &handle) };
    let form = [("SAMLResponse", &*idp.response(&says)), ("RelayState", &*handle)];
    let parked = site.post("/saml/acme-saml/acs", &form, &[]).await;
    let done = site.get(&path(parked.location.as_deref()), &[("cookie", &cookie)]).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let last = site.app().catalog.list_audit(&AuditFilter::default(), 1, None).await.unwrap();
    last.items[0].actor.name.clone()
}

fn open_to_unsolicited(mut connection: Connection) -> Connection {
    if let ConnectionOptions::Saml(options) = &mut connection.options {
        options.idp_initiated.enabled = true;
    }
    connection
}

#[actix_web::test]
async fn a_copy_of_a_running_broker_serves_logins_and_takes_no_assertion_from_before() {
    let idp = Idp::new();
    let site = Site::with(&[open_to_unsolicited(idp.connection())]).await;
    let user = sign_in(&site, &idp, 0).await;
    let issuer = site.running.issuer().clone();
    let from = site.running.data_folder().unwrap();

    let to = tempfile::tempdir().unwrap();
    sqlx::any::install_default_drivers();
    let database = format!("sqlite://{}/hr.db", from.display());
    let mut beside = AnyConnection::connect(&database).await.unwrap();
    let copy = format!("VACUUM INTO '{}/hr.db'", to.path().display());
    sqlx::query(AssertSqlSafe(copy)).execute(&mut beside).await.unwrap();
    std::fs::copy(from.join("master.key"), to.path().join("master.key")).unwrap();
    assert_eq!(sign_in(&site, &idp, 0).await, user, "the first one goes on");
    site.running.stop().await;

    let restored = Site::restored(to, &issuer, 3).await;
    let early = Says {
        id: "_before".to_owned(),
        in_response_to: None,
        minute: 3,
        ..Says::good(&issuer, "x")
    };
    let ask = async |says: &Says| {
        restored.post("/saml/acme-saml/acs", &[("SAMLResponse", &*idp.response(says))], &[]).await
    };
    let refused = ask(&early).await;
    let code = restored.trace(&refused).await.code;
    assert_eq!((refused.status, code.as_deref()), (400, Some("saml_issued_before_epoch")));
    restored.at_minute(4);
    let late = Says { id: "_after".to_owned(), minute: 4, ..early };
    let code = restored.trace(&ask(&late).await).await.code;
    assert_eq!(code.as_deref(), Some("saml_unsolicited_no_app"), "verified, and no app to go to");
    assert_eq!(sign_in(&restored, &idp, 4).await, user);
    restored.running.stop().await;
}
