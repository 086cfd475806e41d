//! Our signing keys and the JWK Set in which others find them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{JwsAlgorithm, SigningKey};

/// Where a key stands in its life. All are published: `next` before its first signature, `retiring` after its last.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    Next,
    Active,
    Retiring,
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
        })
    }
}

/// Why keys do not make a set.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeySetError {
    #[error("the key {kid} is there twice")]
    SameKey { kid: String },
    #[error("there are two {state} keys for {algorithm}")]
    SameState { state: KeyState, algorithm: JwsAlgorithm },
}

/// At most one active and one next key per algorithm, any number of retiring ones, each key once.
#[derive(Clone, Debug)]
pub struct KeySet {
    keys: Vec<(KeyState, SigningKey)>,
    jwks: String,
}

impl KeySet {
    /// # Errors
    /// A key is there twice, or an algorithm has two active or two next keys.
    pub fn new(keys: Vec<(KeyState, SigningKey)>) -> Result<Self, KeySetError> {
        for (index, (state, key)) in keys.iter().enumerate() {
            for (other_state, other) in keys.iter().skip(index + 1) {
                check_pair((*state, key), (*other_state, other))?;
            }
        }
        let published: Vec<_> = keys.iter().map(|(_, key)| key.public_jwk()).collect();
        let jwks = json!({ "keys": published }).to_string();
        Ok(Self { keys, jwks })
    }

    /// The key that signs.
    #[must_use]
    pub fn active(&self, algorithm: JwsAlgorithm) -> Option<&SigningKey> {
        let mut active = self.keys.iter().filter(|(state, _)| *state == KeyState::Active);
        active.find(|(_, key)| key.algorithm() == algorithm).map(|(_, key)| key)
    }

    #[must_use]
    pub fn by_kid(&self, kid: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|(_, key)| key.kid() == kid).map(|(_, key)| key)
    }

    /// The JWK Set (RFC 7517 §5) of all keys, serialised.
    #[must_use]
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    pub fn iter(&self) -> impl Iterator<Item = (KeyState, &SigningKey)> {
        self.keys.iter().map(|(state, key)| (*state, key))
    }
}

fn check_pair(
    (state, key): (KeyState, &SigningKey),
    (other_state, other): (KeyState, &SigningKey),
) -> Result<(), KeySetError> {
    if key.kid() == other.kid() {
        return Err(KeySetError::SameKey { kid: key.kid().to_owned() });
    }
    let same_place = state == other_state && key.algorithm() == other.algorithm();
    if same_place && state != KeyState::Retiring {
        return Err(KeySetError::SameState { state, algorithm: key.algorithm() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UpstreamKeySet;

    fn key(algorithm: JwsAlgorithm) -> SigningKey {
        SigningKey::generate(algorithm).unwrap()
    }

    #[test]
    fn finds_the_active_key_of_each_algorithm() {
        let (old, es, ed) =
            (key(JwsAlgorithm::Es256), key(JwsAlgorithm::Es256), key(JwsAlgorithm::EdDsa));
        let set = KeySet::new(vec![
            (KeyState::Retiring, old.clone()),
            (KeyState::Active, es.clone()),
            (KeyState::Active, ed.clone()),
        ])
        .unwrap();

        assert_eq!(set.active(JwsAlgorithm::Es256).unwrap().kid(), es.kid());
        assert_eq!(set.active(JwsAlgorithm::EdDsa).unwrap().kid(), ed.kid());
        assert!(set.active(JwsAlgorithm::Rs256).is_none());
        assert_eq!(set.by_kid(old.kid()).unwrap().kid(), old.kid());
        assert!(set.by_kid("unknown").is_none());
    }

    #[test]
    fn publishes_the_public_keys_of_every_state() {
        let keys = vec![
            (KeyState::Next, key(JwsAlgorithm::Es256)),
            (KeyState::Active, key(JwsAlgorithm::Es256)),
            (KeyState::Retiring, key(JwsAlgorithm::EdDsa)),
            (KeyState::Retiring, key(JwsAlgorithm::EdDsa)),
        ];
        let set = KeySet::new(keys).unwrap();

        let published = UpstreamKeySet::parse(set.jwks().as_bytes()).unwrap();

        for (_, key) in set.iter() {
            let algorithm = key.algorithm().signature_algorithm();
            assert_eq!(published.candidates(Some(key.kid()), algorithm).len(), 1);
        }
        assert!(!set.jwks().contains("\"d\""));
    }

    #[test]
    fn refuses_two_active_and_two_next_keys_of_one_algorithm() {
        for state in [KeyState::Active, KeyState::Next] {
            let keys = vec![(state, key(JwsAlgorithm::Es256)), (state, key(JwsAlgorithm::Es256))];
            let algorithm = JwsAlgorithm::Es256;
            assert_eq!(KeySet::new(keys).unwrap_err(), KeySetError::SameState { state, algorithm });
        }
    }

    #[test]
    fn refuses_the_same_key_in_two_states() {
        let key = key(JwsAlgorithm::Es256);
        let keys = vec![(KeyState::Active, key.clone()), (KeyState::Retiring, key.clone())];

        let kid = key.kid().to_owned();
        assert_eq!(KeySet::new(keys).unwrap_err(), KeySetError::SameKey { kid });
    }

    #[test]
    fn states_are_written_in_lower_case() {
        assert_eq!(serde_json::to_string(&KeyState::Retiring).unwrap(), "\"retiring\"");
        assert_eq!(KeyState::Next.to_string(), "next");
    }
}
