//! Resource indicators (RFC 8707), from the authorization request to the refresh.

use homerealm_certs::SystemRandom;
use serde_json::{Value, json};

use super::*;
use crate::ids;
use crate::oauth::answer::{Answer, answer};
use crate::oauth::authorize::validate;
use crate::oauth::consent::{self, AskedApi, Decision};
use crate::oauth::fixtures::buying::{Fields, redemption};
use crate::oauth::fixtures::{
    API, Broker, MACHINE, PORTAL, SECRET, WEB, browser, form, query, request, texts,
};
use crate::oauth::token_issuer::ACCESS_TOKEN_TYPE;

const CALENDAR: &str = "https://calendar.example";

/// A broker with a second API: [`WEB`] and [`PORTAL`] may `read` there, and `share`.
async fn broker() -> Broker {
    let broker = Broker::start().await;
    let catalog = &broker.app().catalog;
    let api = catalog.get::<ResourceServer>(API).await.unwrap().unwrap();
    let mut calendar = ResourceServer::clone(&api.object);
    calendar.id = ids::id("api", &SystemRandom);
    calendar.identifier = CALENDAR.to_owned();
    calendar.name = "The calendar".to_owned();
    calendar.scopes = serde_json::from_value(json!([
        {"value": "read", "description": "See your meetings"}, {"value": "share", "description": null}
    ]))
    .unwrap();
    catalog.insert(&calendar).await.unwrap();
    for client in [WEB, PORTAL] {
        let grant = catalog.grant(client, API, SubjectType::User).await.unwrap().unwrap();
        let grant = ClientGrant {
            id: ids::id("cgr", &SystemRandom),
            audience: CALENDAR.to_owned(),
            scopes: texts(&["read", "share"]),
            ..ClientGrant::clone(&grant)
        };
        catalog.insert(&grant).await.unwrap();
    }
    broker
}

/// What a request for both APIs may be granted, or the error's code.
async fn asked(broker: &Broker, scope: Option<&str>) -> Result<Access, &'static str> {
    let both = [API, CALENDAR].map(|api| ("resource", api));
    let params = Params::parse(&form(&both)).unwrap();
    let asked = AskedScopes::parse(scope).unwrap();
    let web = client(broker, WEB).await;
    let chosen = choose(&broker.app().catalog, &web, &params, asked).await;
    chosen.map_err(|error| error.code().unwrap())
}

async fn client(broker: &Broker, id: &str) -> Arc<Client> {
    broker.app().catalog.get::<Client>(id).await.unwrap().unwrap().object
}

fn at(audience: &str, scopes: &[&str]) -> ApiAccess {
    ApiAccess { audience: audience.to_owned(), scopes: texts(scopes) }
}

/// A code of [`WEB`] for both APIs, with a refresh token.
async fn code(broker: &Broker) -> String {
    let mut grant = broker.grant().await;
    let scope = Some("openid offline_access read write share");
    grant.gives.as_mut().unwrap().access = asked(broker, scope).await.unwrap();
    broker.code(&grant).await
}

async fn web(broker: &Broker, fields: Fields<'_>) -> Result<Value, &'static str> {
    broker.buys(Some(WEB), &fields).await
}

fn at_resource<'a>(mut fields: Fields<'a>, resource: &'a str) -> Fields<'a> {
    fields.push(("resource", resource));
    fields
}

fn refreshing(tokens: &Value) -> Fields<'_> {
    let token = tokens["refresh_token"].as_str().unwrap();
    vec![("grant_type", "refresh_token"), ("refresh_token", token)]
}

/// Audience and scope of an access token.
fn says(broker: &Broker, tokens: &Value) -> (String, String) {
    let token = tokens["access_token"].as_str().unwrap();
    let claims: serde_json::Map<String, Value> =
        crate::oauth::own_token::verified(broker.app(), token, ACCESS_TOKEN_TYPE).unwrap();
    let text = |name: &str| claims[name].as_str().unwrap().to_owned();
    assert_eq!(tokens["scope"], claims["scope"]);
    (text("aud"), text("scope"))
}

fn is(audience: &str, scope: &str) -> (String, String) {
    (audience.to_owned(), scope.to_owned())
}

/// §2.1: each scope is asked for at each API; it counts where that has it.
#[actix_web::test]
async fn section_2_1_scopes_are_asked_for_at_every_api() {
    let broker = broker().await;

    let access = asked(&broker, Some("openid read write share")).await.unwrap();
    assert_eq!(access.oidc_scopes, ["openid"]);
    assert_eq!(access.apis, [at(API, &["read", "write"]), at(CALENDAR, &["read", "share"])]);
    let access = asked(&broker, Some("share")).await.unwrap();
    assert_eq!(access.apis, [at(API, &[]), at(CALENDAR, &["share"])]);
    let all = asked(&broker, None).await.unwrap();
    assert_eq!(all.apis, [at(API, &["read", "write"]), at(CALENDAR, &["read", "share"])]);
    assert_eq!(asked(&broker, Some("read admin")).await, Err("invalid_scope"));
}

/// §2: repeated, with `audience` as another word for it; what is named twice is asked for once.
#[actix_web::test]
async fn section_2_several_apis_can_be_named() {
    let broker = broker().await;
    let good = query(&[("audience", None)]);
    let apis = async |more: &[(&str, &str)]| {
        let params = Params::parse(&format!("{good}&{}", form(more))).unwrap();
        let request = validate(broker.app(), &params).await.unwrap();
        request.access.apis.into_iter().map(|api| api.audience).collect::<Vec<_>>()
    };

    assert_eq!(apis(&[("resource", API), ("resource", CALENDAR)]).await, [API, CALENDAR]);
    assert_eq!(apis(&[("audience", CALENDAR), ("audience", API)]).await, [CALENDAR, API]);
    assert_eq!(apis(&[("resource", API), ("audience", CALENDAR)]).await, [CALENDAR, API]);
    assert_eq!(apis(&[("resource", API), ("audience", API)]).await, [API]);
}

/// §2: `invalid_target` for what is no API, and for more than we would show to a user; a client without a grant at one of them
/// gets none of them.
#[actix_web::test]
async fn section_2_one_unknown_api_refuses_the_request() {
    let broker = broker().await;
    let refused = async |client: &str, apis: &[&str]| {
        let named: Vec<_> = apis.iter().map(|api| ("resource", *api)).collect();
        let params = Params::parse(&form(&named)).unwrap();
        let asked = AskedScopes::parse(Some("read")).unwrap();
        let client = self::client(&broker, client).await;
        let chosen = choose(&broker.app().catalog, &client, &params, asked).await;
        chosen.unwrap_err().code().unwrap()
    };

    assert_eq!(refused(WEB, &[API, "https://other.example"]).await, "invalid_target");
    assert_eq!(refused(WEB, &[API, "https://calendar.example#x"]).await, "invalid_target");
    assert_eq!(refused("app_spa", &[API, CALENDAR]).await, "access_denied");
    let many: Vec<String> = (0..11).map(|i| format!("https://{i}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(refused(WEB, &many).await, "invalid_target");
}

/// §2.2: a token is for one API, the first where none is named, with the scopes of that API.
#[actix_web::test]
async fn section_2_2_the_token_request_picks_one_api() {
    let broker = broker().await;

    let (first, picked) = (code(&broker).await, code(&broker).await);
    let first = web(&broker, redemption(&first)).await.unwrap();
    let picked = web(&broker, at_resource(redemption(&picked), CALENDAR)).await.unwrap();

    assert_eq!(says(&broker, &first), is(API, "openid offline_access read write"));
    assert_eq!(says(&broker, &picked), is(CALENDAR, "openid offline_access read share"));
}

/// §2.2: nor does the refusal use up the code.
#[actix_web::test]
async fn section_2_2_what_was_not_granted_is_no_target() {
    let broker = broker().await;
    let code = code(&broker).await;
    let only_api = broker.code(&broker.grant().await).await;

    for (code, apis) in [
        (&code, vec!["https://other.example"]),
        (&code, vec![API, CALENDAR]),
        (&only_api, vec![CALENDAR]),
    ] {
        let fields = apis.into_iter().fold(redemption(code), at_resource);
        assert_eq!(web(&broker, fields).await, Err("invalid_target"));
    }
    assert!(web(&broker, at_resource(redemption(&code), CALENDAR)).await.is_ok());
    assert!(web(&broker, at_resource(redemption(&only_api), API)).await.is_ok());
}

/// §2.2: a refresh asks for any of them, whichever came first.
#[actix_web::test]
async fn section_2_2_a_refresh_asks_for_another_granted_api() {
    let broker = broker().await;
    let first = web(&broker, redemption(&code(&broker).await)).await.unwrap();

    let second = web(&broker, at_resource(refreshing(&first), CALENDAR)).await.unwrap();
    assert_eq!(says(&broker, &second), is(CALENDAR, "openid offline_access read share"));
    let third = web(&broker, refreshing(&second)).await.unwrap();
    assert_eq!(says(&broker, &third), is(API, "openid offline_access read write"));
    let mut narrow = at_resource(refreshing(&third), CALENDAR);
    narrow.push(("scope", "share write"));
    let fourth = web(&broker, narrow).await.unwrap();
    assert_eq!(says(&broker, &fourth), is(CALENDAR, "share"), "write is one of the other API");

    let refused = async |resource: &'static str, scope: &'static str| {
        let mut fields = at_resource(refreshing(&fourth), resource);
        fields.push(("scope", scope));
        web(&broker, fields).await.unwrap_err()
    };
    assert_eq!(refused(CALENDAR, "write").await, "invalid_scope");
    assert_eq!(refused(CALENDAR, "share admin").await, "invalid_scope");
    assert_eq!(refused("https://other.example", "read").await, "invalid_target");
    assert!(web(&broker, refreshing(&fourth)).await.is_ok());
}

/// An API whose grant was taken back refuses by itself, the others go on.
#[actix_web::test]
async fn an_api_that_was_taken_back_does_not_take_the_others_with_it() {
    let broker = broker().await;
    let tokens = web(&broker, redemption(&code(&broker).await)).await.unwrap();
    let catalog = &broker.app().catalog;
    let grant = catalog.grant(WEB, API, SubjectType::User).await.unwrap().unwrap();
    catalog.delete::<ClientGrant>(&grant.id, None).await.unwrap();

    assert_eq!(web(&broker, refreshing(&tokens)).await, Err("invalid_grant"));
    let other = web(&broker, at_resource(refreshing(&tokens), CALENDAR)).await.unwrap();
    assert_eq!(says(&broker, &other).0, CALENDAR);
}

/// A client that acts as itself names one.
#[actix_web::test]
async fn a_client_by_itself_gets_a_token_for_one_api() {
    let broker = broker().await;
    let machine = |resources: &[&'static str]| {
        let mut fields = vec![
            ("grant_type", "client_credentials"),
            ("client_id", MACHINE),
            ("client_secret", SECRET),
        ];
        fields.extend(resources.iter().map(|resource| ("resource", *resource)));
        fields
    };

    assert!(broker.buys(None, &machine(&[API, API])).await.is_ok());
    assert_eq!(broker.buys(None, &machine(&[API, CALENDAR])).await, Err("invalid_target"));
}

#[actix_web::test]
async fn consent_names_every_api_and_what_it_allows_there() {
    let broker = broker().await;
    let both = form(&[("resource", API), ("resource", CALENDAR)]);
    let asks = |scope| {
        let good =
            query(&[("client_id", Some(PORTAL)), ("audience", None), ("scope", Some(scope))]);
        Params::parse(&format!("{good}&{both}")).unwrap()
    };
    let url = async |params: &Params| {
        let login = broker.completed(params).await;
        let answered = answer(broker.app(), &browser("a"), login, broker.now()).await.unwrap();
        let Answer::Redirect { url } = answered.answer else { panic!("no redirect") };
        url
    };

    let page = url(&asks("openid read share")).await;
    let handle = page.split_once("?consent=").unwrap().1;
    let question = consent::question(broker.app(), &browser("a"), handle, broker.now()).await;

    let api = |name: &str, permissions: &[&str]| AskedApi {
        name: name.to_owned(),
        permissions: texts(permissions),
    };
    assert_eq!(
        question.unwrap().apis,
        [api("The API", &["Read your data"]), api("The calendar", &["See your meetings", "share"])]
    );
    let token = browser("a").form_token(handle).unwrap();
    let yes = (handle, token.as_str());
    consent::decide(broker.app(), &browser("a"), yes, Decision::Allow, broker.now()).await.unwrap();
    // what was allowed at both is allowed at each
    assert!(url(&asks("openid read share")).await.contains("code="));
    let one = [("client_id", Some(PORTAL)), ("audience", Some(CALENDAR)), ("scope", Some("share"))];
    assert!(url(&request(&one)).await.contains("code="));
}
