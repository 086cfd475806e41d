//! Keys and certificates: pinned verification keys, our signing keys, JWKS.
