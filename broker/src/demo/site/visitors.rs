//! Who is on their way and who is signed in at the sample site; in memory, a few hundred at most.

use std::collections::VecDeque;
use std::fmt;

use serde_json::{Map, Value};

/// What the site remembers between the request and the answer.
#[derive(Clone)]
pub(super) struct Pending {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

/// Someone who signed in.
#[derive(Clone)]
pub(super) struct SignedIn {
    /// Of the verified ID token.
    pub(super) claims: Map<String, Value>,
    pub(super) id_token: String,
    pub(super) access_token: String,
}

#[derive(Clone)]
enum Visitor {
    Away(Pending),
    Here(SignedIn),
}

/// By session id; the oldest is forgotten first.
#[derive(Default)]
pub(super) struct Visitors(VecDeque<(String, Visitor)>);

const MOST: usize = 500;

impl Visitors {
    /// Sent to the broker.
    pub(super) fn leave(&mut self, id: String, pending: Pending) {
        self.put(id, Visitor::Away(pending));
    }

    /// Back from the broker: once.
    pub(super) fn back(&mut self, id: &str) -> Option<Pending> {
        let away = |(known, visitor): &(String, Visitor)| {
            known == id && matches!(visitor, Visitor::Away(_))
        };
        let place = self.0.iter().position(away)?;
        match self.0.remove(place)? {
            (_, Visitor::Away(pending)) => Some(pending),
            (_, Visitor::Here(_)) => None,
        }
    }

    pub(super) fn enter(&mut self, id: String, signed_in: SignedIn) {
        self.put(id, Visitor::Here(signed_in));
    }

    pub(super) fn signed_in(&self, id: &str) -> Option<SignedIn> {
        self.0.iter().find(|(known, _)| known == id).and_then(|(_, visitor)| match visitor {
            Visitor::Away(_) => None,
            Visitor::Here(signed_in) => Some(signed_in.clone()),
        })
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.0.retain(|(known, _)| known != id);
    }

    fn put(&mut self, id: String, visitor: Visitor) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((id, visitor));
    }
}

/// Tokens and claims are not for logs.
impl fmt::Debug for Visitors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visitors({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> Pending {
        let text = || "x".to_owned();
        Pending { state: text(), nonce: text(), verifier: text() }
    }

    #[test]
    fn a_visitor_comes_back_once() {
        let mut visitors = Visitors::default();
        visitors.leave("a".to_owned(), pending());

        assert!(visitors.signed_in("a").is_none());
        assert!(visitors.back("b").is_none());
        assert!(visitors.back("a").is_some());
        assert!(visitors.back("a").is_none());
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut visitors = Visitors::default();
        for n in 0..=MOST {
            visitors.leave(n.to_string(), pending());
        }

        assert!(visitors.back("0").is_none());
        assert!(visitors.back("1").is_some());
    }
}
