//! The catalog: durable things, one file a resource.
//!
//! Objects refer to each other by their immutable `name` (clients by `client_id`, APIs by `identifier`).
//! The types here are what the rest of the broker sees. [`Catalog`] reads and writes them: `store/` has the SQL of each,
//! `cache` and `group_commit` stand between it and the `database`.

pub mod api_token;
pub mod audit;
mod cache;
mod change_feed;
pub mod client;
pub mod client_grant;
pub mod connection;
mod database;
pub mod domain;
mod domain_index;
mod error;
mod group_commit;
pub mod identity_migration;
pub mod invitation;
pub mod login_trace;
mod master_key;
pub mod name;
pub mod organization;
pub mod password_account;
pub mod redirect_uri;
pub mod registration_token;
pub mod reseal;
mod resource;
pub mod resource_server;
pub mod signing_key;
mod storage;
pub mod store;
pub mod user;

pub use api_token::{ApiScope, ApiToken};
pub use audit::{Action, Actor, ActorKind, AuditEntry, AuditObject, Author};
pub use client::{
    Client, ClientAuthMethod, ClientKind, ClientSecret, GrantType, RefreshTokens, SignedAnswers,
};
pub use client_grant::{ClientGrant, DefaultFor, GrantHolder, SubjectType};
pub use connection::{
    Connection, ConnectionOptions, ForeignDomains, Jit, Newcomers, OAuth2Options, OidcOptions,
    PasswordOptions, SamlOptions, Vendor,
};
pub use domain::{DomainName, DomainPattern, EmailAddress};
pub use error::{CatalogError, OpenError};
pub use identity_migration::IdentityMigration;
pub use invitation::Invitation;
pub use login_trace::{Behind, EndedLogin, LoginTrace, TraceOutcome};
pub use name::Name;
pub use organization::{DnsProof, Organization, OrganizationDomain, RoleMapping};
pub use password_account::{AccountEmail, PasswordAccount, PasswordHash};
pub use registration_token::RegistrationToken;
pub use resource::{Listed, Resource, Versioned};
pub use resource_server::{ResourceServer, Scope};
pub use store::{Arrival, AuditFilter, Audited, Catalog, CatalogStats, Consent, LoginRecord};
pub use user::{Identity, NormalizedClaims, User};
