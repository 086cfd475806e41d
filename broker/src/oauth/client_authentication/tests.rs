use super::*;
use crate::catalog::{ClientKind, ClientSecret};
use crate::oauth::client_assertion::JWT_BEARER;
use crate::oauth::fixtures::{Broker, MACHINE, PORTAL, SECRET, SPA, WEB, form};

/// Header and fields.
type Presentation<'a> = (Option<String>, Vec<(&'a str, &'a str)>);

/// `Ok` with the client's id, or the kind of refusal.
async fn outcome(
    broker: &Broker,
    header: Option<&str>,
    fields: &[(&str, &str)],
) -> Result<String, &'static str> {
    let params = Params::parse(&form(fields)).unwrap();
    let authorization = header.map(Authorization);
    let credentials = Credentials { authorization, certificate: None, params: &params };
    match authenticate(broker.app(), credentials, broker.now()).await {
        Ok(client) => Ok(client.client().client_id.clone()),
        Err(ClientAuthError::ForSomebodyElse) => Err("for somebody else"),
        Err(ClientAuthError::Refused) => Err("refused"),
        Err(ClientAuthError::TwoMethods) => Err("two methods"),
        Err(ClientAuthError::Trouble(_)) => Err("trouble"),
    }
}

fn basic(id: &str, secret: &str) -> String {
    let encoded =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

#[actix_web::test]
async fn each_client_by_its_registered_method() {
    let broker = Broker::start().await;
    let web = basic(WEB, SECRET);

    assert_eq!(outcome(&broker, Some(&web), &[]).await, Ok(WEB.to_owned()));
    assert_eq!(outcome(&broker, Some(&web), &[("client_id", WEB)]).await, Ok(WEB.to_owned()));
    assert_eq!(
        outcome(&broker, Some(&web.replace("Basic", "bASIC")), &[]).await,
        Ok(WEB.to_owned())
    );
    let posted = [("client_id", MACHINE), ("client_secret", SECRET)];
    assert_eq!(outcome(&broker, None, &posted).await, Ok(MACHINE.to_owned()));
    assert_eq!(outcome(&broker, None, &[("client_id", SPA)]).await, Ok(SPA.to_owned()));
    // an empty parameter did not come (RFC 6749 §3.2)
    let empty = [("client_id", SPA), ("client_secret", "")];
    assert_eq!(outcome(&broker, None, &empty).await, Ok(SPA.to_owned()));
}

/// THREATS A6.
#[actix_web::test]
async fn nothing_else_authenticates() {
    let broker = Broker::start().await;
    let web = basic(WEB, SECRET);
    let wrong = SECRET.replace('w', "W");
    let hash = ids::sha256_hex(SECRET);

    let cases: Vec<Presentation<'_>> = vec![
        (None, vec![]),
        (None, vec![("client_secret", SECRET)]),
        // another method than the registered one
        (None, vec![("client_id", WEB), ("client_secret", SECRET)]),
        (None, vec![("client_id", WEB)]),
        (None, vec![("client_id", WEB), ("client_secret", "")]),
        (None, vec![("client_id", MACHINE)]),
        (None, vec![("client_id", SPA), ("client_secret", SECRET)]),
        (Some(basic(MACHINE, SECRET)), vec![]),
        (Some(basic(SPA, SECRET)), vec![]),
        (Some(basic(SPA, "")), vec![]),
        // wrong, empty or no secret
        (Some(basic(WEB, &wrong)), vec![]),
        (Some(basic(WEB, "")), vec![]),
        (Some(basic(WEB, &hash)), vec![]),
        (Some(basic(WEB, &format!("{SECRET} "))), vec![]),
        (None, vec![("client_id", MACHINE), ("client_secret", &hash)]),
        // unknown client
        (Some(basic("app_nobody", SECRET)), vec![]),
        (Some(basic("", SECRET)), vec![]),
        (None, vec![("client_id", "app_nobody")]),
        // two clients
        (Some(web.clone()), vec![("client_id", SPA)]),
        // broken and foreign headers are no absent ones
        (Some(String::new()), vec![("client_id", SPA)]),
        (Some("Basic".to_owned()), vec![("client_id", SPA)]),
        (Some("Basic !!!".to_owned()), vec![("client_id", SPA)]),
        (Some(format!("Basic {}", STANDARD.encode(WEB))), vec![]),
        (Some(web.replace("Basic", "Bearer")), vec![("client_id", SPA)]),
        // an assertion of somebody who has registered a secret, or nothing
        (None, vec![("client_id", SPA), ("client_assertion", "eyJhbGciOiJub25lIn0.e30.")]),
        (None, vec![("client_id", SPA), ("client_assertion_type", JWT_BEARER)]),
    ];
    for (header, fields) in cases {
        let outcome = outcome(&broker, header.as_deref(), &fields).await;
        assert_eq!(outcome, Err("refused"), "{header:?} {fields:?}");
    }
}

#[actix_web::test]
async fn two_methods_at_once_are_refused() {
    let broker = Broker::start().await;
    let both = [("client_id", WEB), ("client_secret", SECRET)];

    assert_eq!(outcome(&broker, Some(&basic(WEB, SECRET)), &both).await, Err("two methods"));
    assert_eq!(outcome(&broker, Some("Bearer x"), &both).await, Err("two methods"));
    let typed = [("client_assertion_type", "x")];
    assert_eq!(outcome(&broker, Some(&basic(WEB, SECRET)), &typed).await, Err("two methods"));
    let three = [("client_id", WEB), ("client_secret", SECRET), ("client_assertion", "x")];
    assert_eq!(outcome(&broker, None, &three).await, Err("two methods"));
}

#[actix_web::test]
async fn id_and_secret_are_form_encoded_before_basic() {
    let broker = Broker::start().await;
    let odd = "a+b%:c ü";
    let secret = ClientSecret { sha256: ids::sha256_hex(odd), created_at: broker.now() };
    broker.change::<Client>(WEB, |client| client.secrets.push(secret)).await;

    assert_eq!(outcome(&broker, Some(&basic(WEB, odd)), &[]).await, Ok(WEB.to_owned()));
    assert_eq!(outcome(&broker, Some(&basic(WEB, SECRET)), &[]).await, Ok(WEB.to_owned()));
}

#[actix_web::test]
async fn a_disabled_client_or_organization_is_refused() {
    let broker = Broker::start().await;
    let kind = ClientKind::FirstParty { organization: Some("acme".to_owned().try_into().unwrap()) };
    broker.change::<Client>(SPA, |client| client.enabled = false).await;
    broker.change::<Client>(WEB, |client| client.kind = kind).await;
    assert_eq!(outcome(&broker, None, &[("client_id", SPA)]).await, Err("refused"));
    assert_eq!(outcome(&broker, Some(&basic(WEB, SECRET)), &[]).await, Ok(WEB.to_owned()));

    broker.change::<Organization>("acme", |organization| organization.enabled = false).await;
    assert_eq!(outcome(&broker, Some(&basic(WEB, SECRET)), &[]).await, Err("refused"));
}

#[actix_web::test]
async fn a_client_by_its_document_is_refused_once_documents_are_not_taken() {
    const ID: &str = "https://app.example/app";
    let settings = |organization: &str, host: &str| {
        format!("[client_id_documents]\norganization = \"{organization}\"\nhosts = [\"{host}\"]\n")
    };
    for (sections, expected) in [
        (settings("acme", "app.example"), Ok(ID.to_owned())),
        (settings("acme", "other.example"), Err("refused")),
        (settings("other", "app.example"), Err("refused")),
        (String::new(), Err("refused")),
    ] {
        let broker = Broker::start_with(&sections).await;
        let portal = broker.app().catalog.get::<Client>(PORTAL).await.unwrap().unwrap();
        let client = Client { client_id: ID.to_owned(), ..portal.object.as_ref().clone() };
        broker.app().catalog.insert(&client).await.unwrap();

        assert_eq!(outcome(&broker, None, &[("client_id", ID)]).await, expected, "{sections}");
        let connection = "acme-oidc".to_owned().try_into().unwrap();
        let standing = crate::login::standing::at_the_end(broker.app(), ID, &connection).await;
        assert_eq!(standing.is_ok(), expected.is_ok(), "{sections}");
        // all others go on
        assert_eq!(outcome(&broker, None, &[("client_id", SPA)]).await, Ok(SPA.to_owned()));
    }
}
