//! Nonces of DPoP proofs (RFC 9449 §8): the time, sealed. Nothing is stored, and every node with the master key reads what
//! another gave out.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};

use crate::seal::{Purpose, Sealer};

/// How long a nonce is good.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// Another node's clock may be ahead of ours.
const SKEW: TimeDelta = TimeDelta::seconds(30);

/// Bound to the purpose and this text.
const PLACE: &[u8] = b"nonce";

/// A nonce of this moment; `None` where it cannot be sealed, which no input causes.
pub fn issue(sealer: &Sealer, now: DateTime<Utc>) -> Option<String> {
    let sealed = sealer.seal(Purpose::DpopNonces, PLACE, &now.timestamp().to_be_bytes());
    sealed.ok().map(|sealed| URL_SAFE_NO_PAD.encode(sealed))
}

/// Whether a nonce is ours and still good.
pub fn is_fresh(sealer: &Sealer, nonce: &str, now: DateTime<Utc>) -> bool {
    let issued = || {
        let sealed = URL_SAFE_NO_PAD.decode(nonce).ok()?;
        let plain = sealer.open(Purpose::DpopNonces, PLACE, &sealed).ok()?;
        let seconds = i64::from_be_bytes(<[u8; 8]>::try_from(plain.as_slice()).ok()?);
        DateTime::from_timestamp(seconds, 0)
    };
    issued().is_some_and(|issued| issued <= now + SKEW && now < issued + LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MasterKey;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&MasterKey::new([byte; 32])).unwrap()
    }

    #[test]
    fn a_nonce_is_good_on_every_node_for_five_minutes() {
        let now = DateTime::from_timestamp(1_900_000_000, 0).unwrap();
        let nonce = issue(&sealer(1), now).unwrap();
        let fresh = |after: i64| is_fresh(&sealer(1), &nonce, now + TimeDelta::seconds(after));

        assert!(fresh(0) && fresh(299) && fresh(-30));
        assert!(!fresh(300) && !fresh(-31));
    }

    #[test]
    fn what_we_did_not_make_is_no_nonce() {
        let now = DateTime::from_timestamp(1_900_000_000, 0).unwrap();
        let nonce = issue(&sealer(1), now).unwrap();
        let changed =
            nonce.replacen(&nonce[30..31], if &nonce[30..31] == "A" { "B" } else { "A" }, 1);

        assert!(!is_fresh(&sealer(2), &nonce, now));
        for bad in ["", "x", "AAAA", changed.as_str()] {
            assert!(!is_fresh(&sealer(1), bad, now), "{bad}");
        }
        let session = sealer(1).seal(Purpose::Sessions, PLACE, &[0; 8]).unwrap();
        assert!(!is_fresh(&sealer(1), &URL_SAFE_NO_PAD.encode(session), now));
    }
}
