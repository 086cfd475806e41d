//! User codes: what a device shows and a person types (RFC 8628 §6.1).

use std::fmt;

use homerealm_certs::Random;
use serde::{Deserialize, Serialize};

/// Eight of twenty letters: 34.5 bits, enough for the minutes of its life behind the limits of RFC 8628 §5.1.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct UserCode(String);

/// Letters that form no words and are not taken for digits (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;
/// The largest multiple of twenty that a byte holds: what is above would make some letters likelier.
const FAIR: u8 = 240;

impl UserCode {
    /// A fresh one; every letter is as likely as every other.
    pub fn generate(random: &dyn Random) -> Self {
        let mut letters = String::with_capacity(LENGTH);
        while letters.len() < LENGTH {
            let mut bytes = [0; 2 * LENGTH];
            random.fill(&mut bytes);
            let fair = bytes.iter().filter(|byte| **byte < FAIR);
            let letter = fair.filter_map(|byte| LETTERS.get(usize::from(byte % 20)));
            letters.extend(letter.take(LENGTH - letters.len()).map(|letter| char::from(*letter)));
        }
        Self(letters)
    }

    /// Reads what a person typed: in any case, with any spaces and punctuation between.
    pub fn parse(typed: &str) -> Option<Self> {
        let letters = typed.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_punctuation());
        let letters: String = letters.take(LENGTH + 1).map(|c| c.to_ascii_uppercase()).collect();
        let known = letters.bytes().all(|byte| LETTERS.contains(&byte));
        (known && letters.len() == LENGTH).then_some(Self(letters))
    }

    /// The letters alone: what its record is found by.
    pub fn letters(&self) -> &str {
        &self.0
    }
}

/// `WDJB-MJHT`
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        write!(f, "{first}-{second}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use homerealm_certs::{SequenceRandom, SystemRandom};

    use super::*;

    #[test]
    fn a_fresh_code_is_eight_letters_in_two_halves() {
        let code = UserCode::generate(&SystemRandom);

        let shown = code.to_string();

        assert_eq!((shown.len(), shown.find('-')), (9, Some(4)));
        assert_eq!(UserCode::parse(&shown), Some(code));
    }

    #[test]
    fn every_letter_is_as_likely_as_every_other() {
        let random = SequenceRandom::new(7);
        let mut counts: BTreeMap<u8, u32> = BTreeMap::new();
        for _ in 0..5000 {
            for letter in UserCode::generate(&random).letters().bytes() {
                *counts.entry(letter).or_default() += 1;
            }
        }

        assert_eq!(counts.len(), 20);
        // 2000 expected of each; five standard deviations
        assert!(counts.values().all(|n| n.abs_diff(2000) < 220), "{counts:?}");
    }

    #[test]
    fn people_type_it_as_they_like() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        for typed in
            ["wdjbmjht", " WDJB MJHT ", "wdjb–mjht".replace('–', "_").as_str(), "W.D.J.B.M.J.H.T"]
        {
            assert_eq!(UserCode::parse(typed).as_ref(), Some(&code), "{typed}");
        }
    }

    #[test]
    fn what_no_device_shows_is_no_code() {
        for typed in ["", "WDJB-MJH", "WDJB-MJHTT", "WDJB-MJHA", "WDJB-MJH1", "ＷDJB-MJHT", "----"]
        {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
    }
}
