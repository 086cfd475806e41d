//! Why an OIDC answer was refused: one variant per rule, in alphabetical order.

/// One broken rule. The verifier of ID tokens adds its variants; before it there is nothing to refuse.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rejection {}

impl Rejection {
    /// The stable name of the rule, `oidc_…`.
    pub fn code(&self) -> &'static str {
        match *self {}
    }

    pub fn expected(&self) -> Option<String> {
        match *self {}
    }

    pub fn received(&self) -> Option<String> {
        match *self {}
    }

    pub fn fix(&self) -> Option<String> {
        match *self {}
    }
}
