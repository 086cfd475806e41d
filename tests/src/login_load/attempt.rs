//! One login, step by step, and its second presentation.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::header::HOST;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::family::Family;
use super::ledger::{Allowed, Ledger};
use crate::balancer::NO_ANSWER;
use crate::browser::{Browser, Landing};
use crate::html::{Form, Page};
use crate::scene::{REDIRECT_URI, Scene, VERIFIER};

/// A login whose IdP has answered: what may count once.
#[derive(Debug)]
pub(super) struct Attempt {
    kind: Kind,
    proof: Proof,
    browser: Browser,
    /// How many codes the IdP's answer has led to.
    codes: AtomicUsize,
    code: Mutex<Option<Code>>,
}

/// Which of the logins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) connection: &'static str,
    /// Whether the app wants a refresh token, and uses it.
    pub(super) offline: bool,
}

/// What the IdP answered with.
#[derive(Clone, Debug)]
enum Proof {
    /// For the ACS.
    Form(Box<Form>),
    /// The callback's address.
    Callback(String),
}

/// A refusal is right where something is presented again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Time {
    First,
    Again,
}

#[derive(Clone, Debug)]
struct Code {
    text: String,
    redeemed: usize,
    family: Option<Arc<Family>>,
}

impl Attempt {
    /// Logs in, presents code and answer a second time; whether the login succeeded. Where there are refresh tokens, the code's
    /// second time is at the end, since it ends their family.
    pub(super) async fn make(scene: &Scene, kind: Kind, ledger: &Ledger) -> bool {
        let mut browser = scene.browser();
        let Some(proof) = prove(scene, &mut browser, kind, ledger).await else {
            return false;
        };
        let attempt = Arc::new(Self {
            kind,
            proof,
            browser,
            codes: AtomicUsize::new(0),
            code: Mutex::new(None),
        });
        ledger.keep(&attempt);
        if !attempt.finish(scene, ledger).await {
            return false;
        }
        ledger.succeeded(kind.connection);
        attempt.present_again(scene, ledger).await;
        true
    }

    async fn finish(&self, scene: &Scene, ledger: &Ledger) -> bool {
        let Some(code) = self.present(scene, ledger, Time::First).await else { return false };
        *self.code.lock().unwrap() = Some(Code { text: code.clone(), redeemed: 0, family: None });
        let (status, json) = redeem(scene, None, &code).await;
        if status != 200 {
            let what = format!("the first use of a code of {}", self.kind.connection);
            trouble(&what, status, &json, ledger);
            return false;
        }
        self.redeemed(ledger);
        let token = json["refresh_token"].as_str();
        if token.is_some() != self.kind.offline {
            let (asked, is) = (self.kind.offline, token.is_some());
            ledger.found_wrong(format!("a refresh token: asked for: {asked}, there: {is}"));
        }
        let Some(token) = token else { return true };
        let family = Arc::new(Family::of(token));
        if let Some(code) = self.code.lock().unwrap().as_mut() {
            code.family = Some(Arc::clone(&family));
        }
        family.refresh(scene, ledger).await
    }

    /// Presents the IdP's answer: the code that it leads to.
    async fn present(&self, scene: &Scene, ledger: &Ledger, time: Time) -> Option<String> {
        let mut browser = self.browser.clone();
        let page = match &self.proof {
            Proof::Form(form) => browser.send_form(form).await,
            Proof::Callback(url) => browser.get(url).await,
        };
        match browser.go_on(page).await {
            Landing::Client(answer) => {
                let value =
                    |name: &str| answer.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
                if let Some(code) = value("code") {
                    self.codes.fetch_add(1, Ordering::SeqCst);
                    return Some(code);
                }
                match value("error").as_deref() {
                    Some("temporarily_unavailable" | "server_error") => {
                        ledger.shown("temporarily_unavailable at the app");
                    }
                    _ => ledger.found_wrong(format!("at the app: {answer:?}")),
                }
                None
            }
            Landing::Page(page) => {
                if time == Time::First {
                    unavailable(&page, &scene.app.issuer, ledger);
                }
                None
            }
        }
    }

    async fn present_again(&self, scene: &Scene, ledger: &Ledger) {
        ledger.presented_again();
        if !self.kind.offline {
            self.use_code(scene, None, ledger).await;
        }
        self.present(scene, ledger, Time::Again).await;
        self.judge(ledger);
    }

    /// At each node. Answers go through the balancer, which takes the nodes by turns.
    pub(super) async fn present_again_everywhere(
        &self,
        scene: &Scene,
        nodes: &[SocketAddr],
        ledger: &Ledger,
    ) {
        for node in nodes {
            self.use_code(scene, Some(*node), ledger).await;
            self.present(scene, ledger, Time::Again).await;
        }
        self.judge(ledger);
    }

    /// What came of its refresh tokens, and after them of its code, at each node.
    pub(super) async fn end_family(
        &self,
        scene: &Scene,
        nodes: &[SocketAddr],
        ledger: &Ledger,
        alive: bool,
    ) {
        let family = self.code.lock().unwrap().as_ref().and_then(|code| code.family.clone());
        let Some(family) = family else { return };
        family.end(scene, nodes, ledger, alive).await;
        for node in nodes {
            self.use_code(scene, Some(*node), ledger).await;
        }
    }

    async fn use_code(&self, scene: &Scene, node: Option<SocketAddr>, ledger: &Ledger) {
        let code = self.code.lock().unwrap().clone();
        let Some(code) = code else { return };
        let (status, json) = redeem(scene, node, &code.text).await;
        match status {
            200 => self.redeemed(ledger),
            400 if json["error"] == "invalid_grant" => {}
            _ => trouble("another use of a code", status, &json, ledger),
        }
    }

    fn redeemed(&self, ledger: &Ledger) {
        let mut code = self.code.lock().unwrap();
        let Some(code) = code.as_mut() else { return };
        code.redeemed += 1;
        if code.redeemed > 1 {
            ledger.found_wrong(format!(
                "{}: a code bought tokens {} times",
                self.kind.connection, code.redeemed
            ));
        }
    }

    fn judge(&self, ledger: &Ledger) {
        let codes = self.codes.load(Ordering::SeqCst);
        if codes > 1 {
            let connection = self.kind.connection;
            ledger.found_wrong(format!("{connection}: an IdP's answer led to {codes} codes"));
        }
    }
}

/// From the app to the IdP and the click there.
async fn prove(scene: &Scene, browser: &mut Browser, kind: Kind, ledger: &Ledger) -> Option<Proof> {
    let mut request = vec![("connection", kind.connection)];
    if kind.offline {
        request.push(("scope", "openid offline_access read:data"));
    }
    let asked = match browser.open(&scene.authorize(&request)).await {
        Landing::Page(page) => page,
        Landing::Client(answer) => {
            ledger.found_wrong(format!("at the app without a login: {answer:?}"));
            return None;
        }
    };
    if asked.url.as_str().starts_with(&scene.app.issuer) {
        unavailable(&asked, &scene.app.issuer, ledger);
        return None;
    }
    let click = asked.form().unwrap().press("answer", "sign_in");
    let answered = browser.send_form(&click).await;
    if let Some(callback) = browser.steps.last().and_then(|step| step.location.clone()) {
        return Some(Proof::Callback(callback.into()));
    }
    answered.form().map(Box::new).map(Proof::Form)
}

/// A page of ours that is not what the user came for.
fn unavailable(page: &Page, issuer: &str, ledger: &Ledger) {
    if !page.header(NO_ANSWER).is_empty() {
        return no_answer(page.url.path(), ledger);
    }
    let (status, path) = (page.status.as_u16(), page.url.path().to_owned());
    if status == 503 && page.reference().is_some() && page.url.as_str().starts_with(issuer) {
        ledger.shown("503 page with a reference");
    } else if ledger.allows(Allowed::Forgotten) && status == 400 && page.reference().is_some() {
        ledger.shown("400 page: the login is not known any more");
    } else {
        ledger.found_wrong(format!("a page at {path}: {status} {}", page.text()));
    }
}

/// An answer of the token endpoint that is no success.
pub(super) fn trouble(what: &str, status: u16, json: &Value, ledger: &Ledger) {
    let error = json["error"].as_str().unwrap_or_default();
    let described = json["error_description"].as_str().unwrap_or_default();
    match (status, error) {
        (502, "") => no_answer(what, ledger),
        (503, "temporarily_unavailable") | (500, "server_error")
            if described.to_ascii_lowercase().contains("reference") =>
        {
            ledger.shown(&format!("{error} with a reference"));
        }
        (400, "invalid_grant") if ledger.allows(Allowed::Forgotten) => {
            ledger.shown("invalid_grant: the code is not known any more");
        }
        _ => ledger.found_wrong(format!("{what}: {status} {json}")),
    }
}

fn no_answer(what: &str, ledger: &Ledger) {
    if ledger.allows(Allowed::NoAnswer) {
        ledger.shown("no answer of a killed broker");
    } else {
        ledger.found_wrong(format!("no answer: {what}"));
    }
}

async fn redeem(scene: &Scene, node: Option<SocketAddr>, code: &str) -> (u16, Value) {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    ask(scene, node, &form).await
}

/// The token endpoint of a node itself, or at the public address.
pub(super) async fn ask(
    scene: &Scene,
    node: Option<SocketAddr>,
    form: &[(&str, &str)],
) -> (u16, Value) {
    let (client, secret) = scene.credentials();
    let body = Serializer::new(String::new()).extend_pairs(form).finish();
    let url = match node {
        Some(node) => format!("http://{node}/oauth/token"),
        None => scene.app.url("/oauth/token"),
    };
    let host = scene.app.issuer.trim_start_matches("http://");
    let request = scene
        .app
        .http
        .post(url)
        .header(HOST, host)
        .header("content-type", "application/x-www-form-urlencoded")
        .basic_auth(client, Some(secret))
        .body(body);
    let Ok(answer) = request.send().await else { return (502, Value::Null) };
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap_or_default();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}
