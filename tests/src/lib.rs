//! What the outside-in tests share.

pub mod store_contract;
