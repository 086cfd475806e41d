//! `[dpop]`: proofs of possession (RFC 9449).

use super::reader::Reader;

/// How strict we are with proofs.
#[derive(Clone, Copy, Debug)]
pub struct Dpop {
    /// Whether a proof must carry a nonce of ours (RFC 9449 §8), so that none can be made in advance.
    pub require_nonce: bool,
}

impl Dpop {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self { require_nonce: reader.flag("dpop.require_nonce", true) }
    }
}
