//! What a party publishes about itself: SAML EntityDescriptor, OIDC discovery.

pub mod entity_id;
pub mod gate;
