//! What a party publishes about itself: SAML EntityDescriptor, OIDC discovery.
