//! The refresh tokens of one login: each has one successor, given again within the grace; a used one ends them all (RULES 27).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::Value;

use super::attempt::{ask, trouble};
use super::ledger::Ledger;
use crate::scene::Scene;
use crate::site::GRACE;

/// Begun by a login.
#[derive(Debug)]
pub(super) struct Family {
    first: String,
    /// What was given for a token.
    successors: Mutex<BTreeMap<String, String>>,
    /// A token was presented again so late that it counted as reuse, whatever came of the answer.
    overtaken: AtomicBool,
}

/// What the token endpoint made of a refresh token. What is neither of both is in the ledger.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    Refreshed,
    Refused,
    Trouble,
}

impl Family {
    pub(super) fn of(first: &str) -> Self {
        Self {
            first: first.to_owned(),
            successors: Mutex::default(),
            overtaken: AtomicBool::new(false),
        }
    }

    /// Uses the first token twice at once: one rotates it, the other is within the grace. Whether the login goes on.
    pub(super) async fn refresh(&self, scene: &Scene, ledger: &Ledger) -> bool {
        let outcomes = self.present_twice(scene, (None, None), &self.first, ledger).await;
        outcomes.contains(&Outcome::Refreshed) && !outcomes.contains(&Outcome::Refused)
    }

    /// When its grace is over: the used token is refused at each node, and so is then what came of it. Before that it is seen,
    /// with `alive`, that the family outlived what has happened since.
    pub(super) async fn end(
        &self,
        scene: &Scene,
        nodes: &[SocketAddr],
        ledger: &Ledger,
        alive: bool,
    ) {
        let Some(mut latest) = self.successor(&self.first) else {
            return self.use_the_doubtful(scene, nodes, ledger).await;
        };
        let alive = alive && !self.overtaken.load(Ordering::SeqCst);
        if let (true, Some(one), Some(other)) = (alive, nodes.first(), nodes.last()) {
            let at = (Some(*one), Some(*other));
            let outcomes = self.present_twice(scene, at, &latest, ledger).await;
            if outcomes.contains(&Outcome::Trouble) {
                ledger.found_wrong("a refresh token cannot be used though all is over".to_owned());
            }
            if outcomes.contains(&Outcome::Refused) {
                return ledger.family("gone before");
            }
            latest = self.successor(&latest).unwrap_or(latest);
        }
        for token in [&self.first, &latest] {
            for node in nodes {
                let outcome = self.present(scene, Some(*node), token, ledger).await;
                if outcome != Outcome::Refused {
                    ledger.found_wrong(format!("after a used refresh token: {outcome:?}"));
                }
            }
        }
        ledger.family(if alive { "alive until then" } else { "not looked at before" });
    }

    /// Nobody knows whether the first token was used: it may be refused, or have one successor.
    async fn use_the_doubtful(&self, scene: &Scene, nodes: &[SocketAddr], ledger: &Ledger) {
        for node in nodes {
            if self.present(scene, Some(*node), &self.first, ledger).await == Outcome::Trouble {
                ledger.found_wrong(
                    "a refresh token in doubt cannot be used, though all is over".to_owned(),
                );
            }
        }
        ledger.family("in doubt");
    }

    /// A token that nobody has used. It is refused only to who comes after the grace, or where the store was emptied.
    async fn present_twice(
        &self,
        scene: &Scene,
        (one, other): (Option<SocketAddr>, Option<SocketAddr>),
        token: &str,
        ledger: &Ledger,
    ) -> [Outcome; 2] {
        let start = Instant::now();
        let (one, other) = tokio::join!(
            self.present(scene, one, token, ledger),
            self.present(scene, other, token, ledger)
        );
        let outcomes = [one, other];
        if start.elapsed() >= GRACE {
            self.overtaken.store(outcomes != [Outcome::Refreshed; 2], Ordering::SeqCst);
        } else if outcomes.contains(&Outcome::Refused) {
            ledger.forgot("a refresh token", "a refresh token was refused within its grace");
        }
        outcomes
    }

    async fn present(
        &self,
        scene: &Scene,
        node: Option<SocketAddr>,
        token: &str,
        ledger: &Ledger,
    ) -> Outcome {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let (status, json) = ask(scene, node, &form).await;
        match status {
            200 => self.refreshed(token, &json, ledger),
            400 if json["error"] == "invalid_grant" => return Outcome::Refused,
            _ => {
                trouble("the use of a refresh token", status, &json, ledger);
                return Outcome::Trouble;
            }
        }
        Outcome::Refreshed
    }

    fn refreshed(&self, token: &str, json: &Value, ledger: &Ledger) {
        let given = json["refresh_token"].as_str().unwrap_or_default().to_owned();
        let mut successors = self.successors.lock().unwrap();
        let first = successors.entry(token.to_owned()).or_insert_with(|| given.clone());
        if *first != given || given.is_empty() || given == token {
            ledger.found_wrong("a refresh token has two successors, or none".to_owned());
        }
    }

    fn successor(&self, token: &str) -> Option<String> {
        self.successors.lock().unwrap().get(token).cloned()
    }
}
