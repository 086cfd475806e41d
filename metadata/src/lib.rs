#![doc = include_str!("../README.md")]

pub mod aggregate;
pub mod entity_id;
pub mod gate;
pub mod oidc;
mod refusal;
pub mod saml_idp;
pub mod saml_sp;
mod xml_names;
pub mod xml_text;
mod xml_tree;

pub use refusal::MetadataRefusal;
