//! Answers that the broker must refuse: each is good but for one thing.

use chrono::TimeDelta;
use homerealm_certs::Random;

use super::response::{Says, TRANSIENT};
use crate::ids;

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SamlFault {
    /// Another e-mail address than the one that was signed.
    ChangedAfterSigning,
    /// An hour old, valid for five minutes.
    Expired,
    /// Meant for another service provider.
    OtherAudience,
    /// From another IdP.
    OtherIssuer,
    /// Signed with a key that is not in the metadata.
    OtherKey,
    /// To another request.
    OtherRequest,
    /// A NameID that is new at each login.
    TransientSubject,
    /// No signature.
    Unsigned,
}

impl SamlFault {
    /// In the order in which the page offers them.
    pub const ALL: [Self; 8] = [
        Self::OtherAudience,
        Self::Expired,
        Self::Unsigned,
        Self::ChangedAfterSigning,
        Self::OtherKey,
        Self::OtherIssuer,
        Self::OtherRequest,
        Self::TransientSubject,
    ];

    /// What the form sends.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChangedAfterSigning => "changed_after_signing",
            Self::Expired => "expired",
            Self::OtherAudience => "other_audience",
            Self::OtherIssuer => "other_issuer",
            Self::OtherKey => "other_key",
            Self::OtherRequest => "other_request",
            Self::TransientSubject => "transient_subject",
            Self::Unsigned => "unsigned",
        }
    }

    /// Of a form's value.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == text)
    }

    /// What the button says after "Send a response".
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::ChangedAfterSigning => "changed after it was signed",
            Self::Expired => "that has expired",
            Self::OtherAudience => "for another audience",
            Self::OtherIssuer => "from another identity provider",
            Self::OtherKey => "signed with an unknown key",
            Self::OtherRequest => "to another request",
            Self::TransientSubject => "with a user name that never comes back",
            Self::Unsigned => "without a signature",
        }
    }

    /// What is wrong before it is signed.
    pub(super) fn change(self, says: &mut Says, random: &dyn Random) {
        match self {
            Self::Expired => says.issued -= TimeDelta::hours(1),
            Self::OtherAudience => {
                "https://another-app.example/saml".clone_into(&mut says.audience)
            }
            Self::OtherIssuer => "https://another-idp.example/".clone_into(&mut says.issuer),
            Self::OtherRequest => says.in_response_to = format!("_{}", ids::transaction(random)),
            Self::TransientSubject => {
                says.name_id_format = TRANSIENT;
                says.user.subject = ids::transaction(random);
            }
            Self::ChangedAfterSigning | Self::OtherKey | Self::Unsigned => {}
        }
    }
}
