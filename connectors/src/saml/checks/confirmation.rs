//! Who may present it.

use super::{Answer, Expectation, Seen, compared, confirmations, is_over, is_to_come, time};
use crate::saml::assertion::Confirmation;
use crate::saml::rejection::Rejection;

/// SAML Profiles §4.1.4.2, §4.1.4.3: among several bearer confirmations one that holds in full is enough.
pub(super) fn one_bearer_confirmation_holds(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let mut refusal = Rejection::BearerConfirmationMissing;
    for confirmation in confirmations(answer.assertion).iter().filter(|c| c.is_bearer()) {
        match confirmation_holds(confirmation, expect) {
            Ok(seen) => return Ok(seen),
            Err(first) if refusal == Rejection::BearerConfirmationMissing => refusal = first,
            Err(_) => {}
        }
    }
    Err(refusal)
}

fn confirmation_holds(
    confirmation: &Confirmation,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    if confirmation.recipient.as_deref() != Some(expect.acs) {
        let expected = expect.acs.to_owned();
        return Err(Rejection::RecipientMismatch {
            expected,
            received: confirmation.recipient.clone(),
        });
    }
    if confirmation.in_response_to.as_deref() != expect.request_id {
        let expected = expect.request_id.unwrap_or("no InResponseTo").to_owned();
        return Err(Rejection::InResponseToMismatch {
            expected,
            received: confirmation.in_response_to.clone(),
        });
    }
    let Some(end) = confirmation.not_on_or_after else {
        return Err(Rejection::ConfirmationNotOnOrAfterMissing);
    };
    if is_over(end, expect) {
        return Err(Rejection::ConfirmationExpired { at: end, now: expect.now });
    }
    if let Some(at) = confirmation.not_before.filter(|at| is_to_come(*at, expect)) {
        return Err(Rejection::ConfirmationNotYetValid { at, now: expect.now });
    }
    compared(expect.acs, format!("{}, until {}", expect.acs, time(end)))
}
