//! Client kind × ownership of the connection × promotion × lists × what is disabled × organization asked for: every cell, at
//! authorize, at completion, at refresh and in the home realm, against a model of its own.

mod model;

use std::sync::Arc;

use model::{Cell, Kind, List, Off, Owner, Promotion};
use serde_json::{Value, json};
use testkit::browser::{Browser, Landing};
use testkit::sample_oidc::SampleOidc;
use testkit::scene::{API, REDIRECT_URI, Scene, VERIFIER};
use tokio::task::JoinSet;

const KINDS: [Kind; 3] = [Kind::Ours, Kind::OursOfOwn, Kind::TheirsOfOwn];
const OWNERS: [Owner; 3] = [Owner::Nobody, Owner::Other, Owner::Own];
const PROMOTIONS: [Promotion; 4] =
    [Promotion::All, Promotion::No, Promotion::Other, Promotion::Own];
const LISTS: [List; 4] = [List::Absent, List::NotByClient, List::NotByConnection, List::Present];
const OFF: [Off; 5] = [Off::Nothing, Off::Client, Off::Connection, Off::Other, Off::Own];

/// Names of one pair's own objects: all pairs run at once.
#[derive(Clone)]
struct Pair {
    scene: Arc<Scene>,
    issuer: String,
    kind: Kind,
    owner: Owner,
    mark: String,
    secret: String,
    browser: Browser,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_as_the_rules_say() {
    let scene = Arc::new(Scene::set().await);
    let op = SampleOidc::start(1, &scene.app.clock);
    let default =
        json!({"default_for": "third_party_clients", "audience": API, "scopes": ["read:data"]});
    scene.app.admin.create("/client-grants", &default).await;
    let mut running = JoinSet::new();
    for (number, (kind, owner)) in
        KINDS.into_iter().flat_map(|kind| OWNERS.map(|owner| (kind, owner))).enumerate()
    {
        let (scene, issuer) = (Arc::clone(&scene), op.issuer.clone());
        let browser = scene.browser();
        let mark = number.to_string();
        let pair = Pair { scene, issuer, kind, owner, mark, secret: String::new(), browser };
        running.spawn(async move { pair.all_cells().await });
    }
    let (mut cells, mut wrong) = (0, Vec::new());
    while let Some(pair) = running.join_next().await {
        let (count, mut found) = pair.unwrap();
        cells += count;
        wrong.append(&mut found);
    }
    assert_eq!(cells, 9 * 80);
    assert!(wrong.is_empty(), "{} of {cells}: {wrong:#?}", wrong.len());
}

impl Pair {
    async fn all_cells(mut self) -> (usize, Vec<String>) {
        self.set_up().await;
        let open = self.cell(Promotion::All, List::Absent, Off::Nothing).is_open();
        let mut refresh = if open { Some(self.refresh_token().await) } else { None };
        let mut begun = Vec::new();
        for _ in 0..if open { 80 } else { 0 } {
            begun.push(self.begun().await);
        }
        let (mut cells, mut wrong) = (0, Vec::new());
        for list in LISTS {
            self.promote(Promotion::All).await;
            self.list(list).await;
            for promotion in PROMOTIONS {
                self.promote(promotion).await;
                for off in OFF {
                    let cell = self.cell(promotion, list, off);
                    self.switch(off, false).await;
                    let found = self.look(cell, begun.pop(), &mut refresh).await;
                    wrong.extend(found.into_iter().map(|what| format!("{what} {cell:?}")));
                    cells += 1;
                    self.switch(off, true).await;
                }
            }
        }
        (cells, wrong)
    }

    fn cell(&self, promotion: Promotion, list: List, off: Off) -> Cell {
        Cell { kind: self.kind, owner: self.owner, promotion, list, off }
    }

    /// Everything that is not as the model says.
    async fn look(
        &self,
        cell: Cell,
        begun: Option<(Browser, String)>,
        refresh: &mut Option<String>,
    ) -> Vec<&'static str> {
        let mut wrong = Vec::new();
        for asked in OWNERS {
            if self.authorizes(asked).await != cell.is_open_for(asked) {
                wrong.push(match asked {
                    Owner::Nobody => "authorize",
                    Owner::Other => "authorize with organization other",
                    Owner::Own => "authorize with organization own",
                });
            }
        }
        if self.home_realm().await != cell.has_client().then(|| cell.is_open()) {
            wrong.push("home realm");
        }
        if let Some((mut browser, callback)) = begun {
            match browser.open(&callback).await {
                Landing::Client(answer) => {
                    let has_code = answer.iter().any(|(name, _)| name == "code");
                    if !has_code || !cell.is_open() {
                        wrong.push("completion");
                    }
                }
                Landing::Page(page) if cell.is_open() || !page.status.is_client_error() => {
                    wrong.push("completion");
                }
                Landing::Page(page) => {
                    let trace = self.scene.app.admin.trace(&page.reference().unwrap()).await;
                    let told = trace["checks"].to_string();
                    if cell.in_the_way().is_some_and(|setting| !told.contains(setting)) {
                        wrong.push("trace of the completion");
                    }
                    if page.text().contains("domain_connection") {
                        wrong.push("words for the browser");
                    }
                }
            }
        }
        if let Some(token) = refresh {
            let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
            let answer = self.scene.token(Some((&self.client(), &self.secret)), &form).await;
            if (answer.status == 200) != cell.is_open() {
                wrong.push("refresh");
            }
            if let Some(next) = answer.json["refresh_token"].as_str() {
                next.clone_into(token);
            }
        }
        wrong
    }

    /// Whether a request for the connection is sent upstream.
    async fn authorizes(&self, asked: Owner) -> bool {
        let organization = match asked {
            Owner::Nobody => String::new(),
            Owner::Other => self.organization("other"),
            Owner::Own => self.organization("own"),
        };
        let url = self.authorize("openid read:data", &organization);
        let page = self.browser.clone().get(&url).await;
        page.header("location").starts_with(&self.issuer)
    }

    /// Whether the connection's domain leads to it; `None` where the client is not known.
    async fn home_realm(&self) -> Option<bool> {
        let path = format!(
            "/home-realm?client_id={}&email=somebody@{}.example",
            self.client(),
            self.connection()
        );
        let answer = self.scene.app.http.get(self.scene.app.url(&path)).send().await.unwrap();
        if answer.status() == 400 {
            return None;
        }
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        Some(answer["connection"]["name"] == self.connection())
    }

    /// A login that is at the IdP, and where that sends the browser back.
    async fn begun(&self) -> (Browser, String) {
        let mut browser = self.browser.clone();
        let sent = browser.get(&self.authorize("openid read:data", "")).await;
        let back = browser.get(sent.header("location")).await;
        (browser, back.header("location").to_owned())
    }

    async fn refresh_token(&self) -> String {
        let mut browser = self.browser.clone();
        let url = self.authorize("openid offline_access read:data", "");
        let mut landing = browser.open(&url).await;
        if let Landing::Page(page) = &landing {
            let form = page.form();
            let form = form.unwrap_or_else(|| panic!("{} {:?}", page.text(), page.reference()));
            landing = browser.submit(form.press("decision", "allow")).await;
        }
        let code = self.scene.code(landing).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        let answer = self.scene.token(Some((&self.client(), &self.secret)), &form).await;
        answer.json["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    fn authorize(&self, scope: &str, organization: &str) -> String {
        self.scene.authorize(&[
            ("client_id", &self.client()),
            ("connection", &self.connection()),
            ("scope", scope),
            ("organization", organization),
        ])
    }

    fn client(&self) -> String {
        format!("client-{}", self.mark)
    }

    fn connection(&self) -> String {
        format!("connection-{}", self.mark)
    }

    fn organization(&self, which: &str) -> String {
        format!("{which}-{}", self.mark)
    }

    async fn set_up(&mut self) {
        let admin = &self.scene.app.admin;
        for which in ["own", "other"] {
            admin.create("/organizations", &json!({"name": self.organization(which)})).await;
        }
        let owner = match self.owner {
            Owner::Nobody => None,
            Owner::Other => Some(self.organization("other")),
            Owner::Own => Some(self.organization("own")),
        };
        let options =
            json!({"issuer": self.issuer, "client_id": "broker", "client_secret": "secret"});
        let connection = json!({"name": self.connection(), "strategy": "oidc", "organization": owner,
            "domains": [format!("{}.example", self.connection())], "options": options, "claims": {"email": []}});
        admin.create("/connections", &connection).await;
        let spare = json!({"name": format!("spare-{}", self.mark), "strategy": "oidc", "options": options,
            "organization": self.organization("own"), "domains": []});
        admin.create("/connections", &spare).await;
        let organization = (self.kind != Kind::Ours).then(|| self.organization("own"));
        let client = json!({"client_id": self.client(), "client_name": "App", "organization": organization,
            "first_party": self.kind != Kind::TheirsOfOwn, "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"]});
        let made = admin.create("/clients", &client).await;
        self.secret = made["client_secret"].as_str().unwrap().to_owned();
        if self.kind != Kind::TheirsOfOwn {
            self.scene.grant(&self.client(), &["read:data"]).await;
        }
        if (self.kind, self.owner) == (Kind::OursOfOwn, Owner::Nobody) {
            // RULES 21: who comes by a shared connection is of an organization by membership
            let identity = json!({"connection": self.connection(), "issuer": self.issuer, "subject": "user-0"});
            let user =
                json!({"identities": [identity], "organizations": [self.organization("own")]});
            admin.create("/users", &user).await;
        }
        self.promote(Promotion::All).await;
    }

    async fn promote(&self, promotion: Promotion) {
        let to = match promotion {
            Promotion::All | Promotion::No => json!([]),
            Promotion::Other => json!([self.organization("other")]),
            Promotion::Own => json!([self.organization("own")]),
        };
        let patch = json!({"is_domain_connection": promotion != Promotion::No,
            "domain_connection_organizations": to});
        self.change("connections", &self.connection(), &patch).await;
    }

    async fn list(&self, list: List) {
        let (of_client, of_connection) = match list {
            List::Absent => (Value::Null, json!(["*"])),
            List::NotByClient => (json!([format!("spare-{}", self.mark)]), json!(["*"])),
            List::NotByConnection => (Value::Null, json!(["nobody"])),
            List::Present => (json!([self.connection()]), json!([self.client()])),
        };
        self.change("clients", &self.client(), &json!({"connections": of_client})).await;
        self.change("connections", &self.connection(), &json!({"clients": of_connection})).await;
    }

    async fn switch(&self, off: Off, enabled: bool) {
        let (kind, name) = match off {
            Off::Nothing => return,
            Off::Client => ("clients", self.client()),
            Off::Connection => ("connections", self.connection()),
            Off::Other => ("organizations", self.organization("other")),
            Off::Own => ("organizations", self.organization("own")),
        };
        self.change(kind, &name, &json!({"enabled": enabled})).await;
    }

    async fn change(&self, kind: &str, name: &str, patch: &Value) {
        self.scene.app.admin.change(&format!("/{kind}/{name}"), patch).await;
    }
}
