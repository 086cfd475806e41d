//! Speaks to upstream IdPs: SAML and OIDC, verification included.
