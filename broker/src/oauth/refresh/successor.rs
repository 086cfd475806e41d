//! A successor at rest (RULES 27): sealed under a key that is derived from the token that it succeeds, so that only who holds
//! that one can have it again. What the store holds, even opened, gives no token.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use homerealm_certs::Random;

use super::token::RefreshToken;
use crate::seal::SealError;

/// Separates this use of the token from any other.
const INFO: &[u8] = b"homerealm refresh token successor";

/// Seals the successor of `presented`: nonce and ciphertext, base64url.
pub(super) fn seal(
    presented: &RefreshToken,
    successor: &RefreshToken,
    random: &dyn Random,
) -> Result<String, SealError> {
    let mut nonce = [0; NONCE_LEN];
    random.fill(&mut nonce);
    let mut body = successor.as_str().as_bytes().to_vec();
    key(presented)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(presented), &mut body)
        .map_err(|_| SealError::Broken)?;
    Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &body].concat()))
}

/// Opens what [`seal`] made for the same token.
pub(super) fn open(presented: &RefreshToken, sealed: &str) -> Result<RefreshToken, SealError> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealError::Broken)?;
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Broken)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Broken)?;
    let mut body = body.to_vec();
    let plain = key(presented)?
        .open_in_place(nonce, aad(presented), &mut body)
        .map_err(|_| SealError::Broken)?;
    let text = std::str::from_utf8(plain).map_err(|_| SealError::Broken)?;
    RefreshToken::parse(text).ok_or(SealError::Broken)
}

/// HKDF-SHA-256 (RFC 5869) of the presented token, with its family's name as salt.
fn key(presented: &RefreshToken) -> Result<LessSafeKey, SealError> {
    let extracted = Salt::new(HKDF_SHA256, presented.family().as_bytes())
        .extract(presented.as_str().as_bytes());
    let expanded = extracted.expand(&[INFO], &AES_256_GCM).map_err(|_| SealError::Broken)?;
    Ok(LessSafeKey::new(UnboundKey::from(expanded)))
}

fn aad(presented: &RefreshToken) -> Aad<&[u8]> {
    Aad::from(presented.family().as_bytes())
}

#[cfg(test)]
mod tests {
    use homerealm_certs::SystemRandom;

    use super::super::token::Mark;
    use super::*;

    #[test]
    fn only_the_token_before_it_opens_a_successor() {
        let mark = Mark::new(&SystemRandom);
        let token = || RefreshToken::new("fam_1", &mark, &SystemRandom);
        let (old, new, other) = (token(), token(), token());

        let sealed = seal(&old, &new, &SystemRandom).unwrap();

        assert_eq!(open(&old, &sealed), Ok(new.clone()));
        assert_eq!(open(&other, &sealed), Err(SealError::Broken));
        assert_eq!(open(&new, &sealed), Err(SealError::Broken));
        assert_eq!(open(&old, &sealed[1..]), Err(SealError::Broken));
        assert_eq!(open(&old, ""), Err(SealError::Broken));
    }
}
