//! The rule for new passwords (NIST SP 800-63B §3.1.1.2): long enough, none of the commonest, nothing about letters and digits.

use icu_normalizer::ComposingNormalizer;
use zeroize::Zeroizing;

use crate::catalog::EmailAddress;

/// Characters, unless the connection says otherwise: where a password is all that there is, NIST wants fifteen.
pub const USUAL_LENGTH: u32 = 15;
/// What a connection may ask for at least: eight.
pub const SHORTEST: u32 = 8;
/// Characters at most. NIST wants 64 or more to be taken.
pub const LONGEST: usize = 256;

/// A new password that keeps the rule.
pub struct NewPassword(Zeroizing<String>);

/// Why a new password is not taken. The text is for people.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TooWeak {
    /// Others try it first.
    #[error("is one that many people use, or nearly")]
    Common,
    /// It has more than [`LONGEST`] characters.
    #[error("has more than 256 characters")]
    Long,
    /// It says who it is for.
    #[error("is made of the e-mail address")]
    OfAddress,
    /// It has fewer characters than this.
    #[error("has fewer than {0} characters")]
    Short(u32),
}

/// In lower case, without what stands around the letters. Longer ones stand here because shorter ones fall short anyway.
const COMMON: &str = include_str!("common.txt");

impl NewPassword {
    /// A password for the account with this address.
    ///
    /// # Errors
    /// [`TooWeak`], the first that applies.
    pub fn for_account(
        typed: &str,
        email: &EmailAddress,
        min_length: u32,
    ) -> Result<Self, TooWeak> {
        let password = normal_form(typed);
        let length = password.chars().count();
        if length < usize::try_from(min_length.max(SHORTEST)).unwrap_or(usize::MAX) {
            return Err(TooWeak::Short(min_length.max(SHORTEST)));
        }
        if length > LONGEST {
            return Err(TooWeak::Long);
        }
        let lower = Zeroizing::new(password.to_lowercase());
        if is_made_of(&lower, email) {
            return Err(TooWeak::OfAddress);
        }
        if is_common(&lower) {
            return Err(TooWeak::Common);
        }
        Ok(Self(password))
    }

    /// The password.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// NFC, so that the same letters are the same password on every keyboard (RFC 8265 §4.2.2).
pub(super) fn normal_form(password: &str) -> Zeroizing<String> {
    Zeroizing::new(ComposingNormalizer::new_nfc().normalize(password).into_owned())
}

/// What is left without the address, its parts and what people put behind it, is nearly nothing.
fn is_made_of(lower: &str, email: &EmailAddress) -> bool {
    let address = email.to_string().to_lowercase();
    let mut parts: Vec<&str> = vec![&address];
    parts.extend(address.split('@'));
    parts.extend(address.split(['@', '.', '-', '_', '+']).filter(|part| part.len() >= 4));
    parts.sort_unstable_by_key(|part| std::cmp::Reverse(part.len()));
    let mut rest = Zeroizing::new(lower.to_owned());
    for part in parts.into_iter().filter(|part| part.len() >= 4) {
        rest = Zeroizing::new(rest.replace(part, ""));
    }
    rest.len() < lower.len() && letters(&rest).count() < 4
}

/// One of the list, with digits and signs around it or twice; a run or a repetition.
fn is_common(lower: &str) -> bool {
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    let listed = |text: &str| COMMON.lines().any(|common| common == text);
    listed(lower)
        || listed(core)
        || period(lower).is_some_and(|part| part.chars().count() <= 6 || listed(part))
        || is_run(lower)
}

/// The part of which the text is a repetition.
fn period(text: &str) -> Option<&str> {
    let starts = text.char_indices().map(|(at, _)| at).skip(1);
    let mut parts = starts.filter_map(|at| text.get(..at)).filter(|p| p.len() * 2 <= text.len());
    parts.find(|part| {
        let pieces = text.len() / part.len();
        part.repeat(pieces + 1).starts_with(text)
    })
}

/// Each character follows the one before it, up or down, or is it: 0123456789…, zyxwv….
fn is_run(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let steps = codes.windows(2).filter(|pair| match pair {
        [a, b] => (a - b).abs() <= 1 || (*a == 57 && *b == 48),
        _ => false,
    });
    steps.count() * 10 >= codes.len().saturating_sub(1) * 9
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| c.is_alphabetic())
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(typed: &str) -> Result<(), TooWeak> {
        let email = EmailAddress::parse("ann.meyer@initech.example").unwrap();
        NewPassword::for_account(typed, &email, USUAL_LENGTH).map(|_| ())
    }

    #[test]
    fn long_ones_of_any_kind_are_taken() {
        for good in [
            "correct horse battery staple",
            "zwölf laxe Typen",
            "kein einziger Großbuchstabe",
            "7f3a9c0de1b24868",
            "         Leerzeichen        ",
            "密码密码不是这样的一个很长的句子吗",
            &"ab7".repeat(10).replace("7a", "q"),
        ] {
            assert_eq!(judged(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_length_counts_characters_at_both_ends() {
        assert_eq!(judged("vierzehn zeich"), Err(TooWeak::Short(15)));
        assert_eq!(judged("fünfzehn zeichn"), Ok(()));
        let words =
            |length: usize| "so viele Wörter ".chars().cycle().take(length).collect::<String>();
        assert_eq!(judged(&(words(200) + &"x1y2".repeat(14))), Ok(()), "256 characters");
        assert_eq!(judged(&(words(201) + &"x1y2".repeat(14))), Err(TooWeak::Long));
        let email = EmailAddress::parse("a@b.example").unwrap();
        let short = NewPassword::for_account("seven77", &email, 0).map(|_| ());
        assert_eq!(short, Err(TooWeak::Short(8)), "no connection may ask for less");
    }

    #[test]
    fn what_many_people_use_is_not_taken() {
        for bad in [
            "passwordpassword",
            "Password12345678",
            "qwertyuiopasdfghjkl",
            "1234567890123456",
            "abcdefghijklmnopq",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "!!!iloveyou2024!!!",
        ] {
            assert_eq!(judged(bad), Err(TooWeak::Common), "{bad}");
        }
    }

    #[test]
    fn the_address_is_no_password() {
        for bad in
            ["ann.meyer@initech.example", "Initech.Example1", "meyermeyermeyer", "initechmeyer2026"]
        {
            assert_eq!(judged(bad), Err(TooWeak::OfAddress), "{bad}");
        }
        assert_eq!(judged("initech sells good paper"), Ok(()));
    }

    #[test]
    fn debug_output_does_not_show_it() {
        let email = EmailAddress::parse("a@b.example").unwrap();
        let password = NewPassword::for_account("correct horse battery", &email, 15).unwrap();

        assert!(!format!("{password:?}").contains("horse"));
    }
}
