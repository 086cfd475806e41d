use std::sync::Mutex;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpServer, web};
use homerealm_connectors::http::OutboundPolicy;

use super::*;
use crate::login::session::fixtures::session;
use crate::oauth::fixtures::{Broker, WEB};
use crate::oauth::own_token::verified;

/// A client's address for logout tokens, with what it will answer and what it got.
struct Receiver {
    url: String,
    state: web::Data<State>,
    server: ServerHandle,
}

struct State {
    answers: Mutex<Vec<u16>>,
    got: Mutex<Vec<String>>,
}

impl Receiver {
    async fn answering(answers: &[u16]) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        let answers = Mutex::new(answers.iter().rev().copied().collect());
        let state = web::Data::new(State { answers, got: Mutex::default() });
        let data = state.clone();
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).route("/logout", web::post().to(receive))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url, state, server: handle }
    }

    fn got(&self) -> Vec<String> {
        self.state.got.lock().unwrap().clone()
    }
}

async fn receive(state: web::Data<State>, body: String) -> HttpResponse {
    state.got.lock().unwrap().push(body);
    let answer = state.answers.lock().unwrap().pop().unwrap();
    HttpResponse::build(StatusCode::from_u16(answer).unwrap()).finish()
}

fn notifier(broker: &Broker, pauses: [Duration; 2]) -> LogoutNotifier {
    let app = broker.app();
    let policy = OutboundPolicy {
        allow_http: true,
        allow_private_addresses: true,
        allow_loopback: true,
        own_listeners: Vec::new(),
    };
    let means = Means {
        outbound: Arc::new(Outbound::new(policy)),
        catalog: app.catalog.clone(),
        keys: app.keys.clone(),
        issuer: broker.issuer().to_owned(),
        clock: Arc::clone(&app.clock),
        random: Arc::clone(&app.random),
    };
    LogoutNotifier::with_pauses(means, pauses.to_vec())
}

/// The client, with its address at this receiver.
async fn client(broker: &Broker, receiver: &Receiver) -> Client {
    let client = broker.app().catalog.get::<Client>(WEB).await.unwrap().unwrap();
    let mut client = Client::clone(&client);
    client.session.backchannel_logout_uri = Some(receiver.url.clone());
    client
}

/// Tells the client at this receiver to the end; whether the first attempt did it.
async fn told(broker: &Broker, receiver: &Receiver) -> bool {
    let message = Message::of(&client(broker, receiver).await, &session()).unwrap();
    let (sender, first) = oneshot::channel();
    notifier(broker, [Duration::ZERO; 2]).0.deliver(&message, sender).await;
    first.await.unwrap()
}

async fn outcome(broker: &Broker) -> (Action, Value) {
    let entries = broker.app().catalog.list_audit(&Default::default(), 10, None).await.unwrap();
    let mut entries = entries.items.into_iter().filter(|entry| entry.object.kind == SESSION);
    let entry = entries.next().unwrap();
    assert_eq!(entry.object.id, session().sid);
    (entry.action, entry.after.unwrap())
}

#[actix_web::test]
async fn the_token_says_which_session_of_whom_ended_and_nothing_else() {
    let broker = Broker::start().await;
    let receiver = Receiver::answering(&[200]).await;

    assert!(told(&broker, &receiver).await);

    let got = receiver.got();
    let token = got[0].strip_prefix("logout_token=").unwrap();
    let claims: Value = verified(broker.app(), token, LOGOUT_TOKEN_TYPE).unwrap();
    let now = broker.now().timestamp();
    let jti = claims["jti"].as_str().unwrap().to_owned();
    assert_eq!(
        claims,
        json!({
            "iss": broker.issuer(), "sub": "usr_1", "aud": WEB, "iat": now, "exp": now + 120,
            "jti": jti, "sid": session().sid, "events": {EVENT: {}}
        })
    );
    assert!(verified::<Value>(broker.app(), token, "JWT").is_none(), "it is no ID token");
    assert_eq!(
        outcome(&broker).await,
        (Action::LogoutDelivered, json!({"client_id": WEB, "attempts": 1, "failure": null}))
    );
    receiver.server.stop(false).await;
}

#[actix_web::test]
async fn a_client_that_is_down_is_told_again_with_a_fresh_token() {
    let broker = Broker::start().await;
    let receiver = Receiver::answering(&[503, 204]).await;

    assert!(!told(&broker, &receiver).await);

    let got = receiver.got();
    assert_eq!(got.len(), 2);
    assert_ne!(got[0], got[1]);
    let (action, after) = outcome(&broker).await;
    assert_eq!((action, &after["attempts"]), (Action::LogoutDelivered, &json!(2)));
    receiver.server.stop(false).await;
}

#[actix_web::test]
async fn after_the_last_attempt_or_a_refusal_the_audit_log_says_so() {
    for (answers, attempts, why) in
        [(&[500, 500, 500][..], 3, "it answered 500"), (&[400], 1, "it answered 400")]
    {
        let broker = Broker::start().await;
        let receiver = Receiver::answering(answers).await;

        assert!(!told(&broker, &receiver).await);

        assert_eq!(receiver.got().len(), attempts);
        let (action, after) = outcome(&broker).await;
        assert_eq!((action, &after["failure"]), (Action::LogoutFailed, &json!(why)));
        receiver.server.stop(false).await;
    }
}

#[actix_web::test]
async fn a_stop_gives_up_what_waits_for_a_later_attempt_and_says_so() {
    let broker = Broker::start().await;
    let receiver = Receiver::answering(&[503]).await;
    let notifier = notifier(&broker, [Duration::from_hours(1); 2]);

    let telling = notifier.tell(&client(&broker, &receiver).await, &session());
    assert!(!telling.first.await.unwrap());
    notifier.stop(Duration::from_mins(1)).await;

    let (action, after) = outcome(&broker).await;
    let why = json!("it answered 503; then the broker stopped");
    assert_eq!((action, &after["failure"]), (Action::LogoutFailed, &why));
    receiver.server.stop(false).await;
}

#[actix_web::test]
async fn a_client_without_an_address_is_not_told() {
    let broker = Broker::start().await;
    let client = broker.app().catalog.get::<Client>(WEB).await.unwrap().unwrap();

    assert!(Message::of(&client, &session()).is_none());
}
