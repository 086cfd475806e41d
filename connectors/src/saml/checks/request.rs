//! To whom and to what it answers.

use super::{Answer, Expectation, Seen, compared, confirmations};
use crate::saml::rejection::Rejection;

/// SAML Profiles §4.1.4.3, §4.1.5: all values agree, and the one that counts stands in the signed assertion.
///
/// Without a pending login there may be none anywhere, whether or not the connection takes unsolicited responses.
pub(super) fn answers_our_request(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let values = in_response_to_values(answer);
    let received = values.first().copied();
    if values.iter().any(|value| Some(*value) != received) {
        let received = values.into_iter().map(str::to_owned).collect();
        return Err(Rejection::InResponseToInconsistent { received });
    }
    match (expect.request_id, received) {
        (None, Some(_)) => Err(Rejection::PendingLoginMissing),
        (None, None) if expect.idp_initiated => {
            compared("an unsolicited response", "no InResponseTo")
        }
        (None, None) => Err(Rejection::Unsolicited),
        (Some(expected), Some(received)) if expected == received => compared(expected, received),
        (Some(expected), received) => Err(Rejection::InResponseToMismatch {
            expected: expected.to_owned(),
            received: received.map(str::to_owned),
        }),
    }
}

fn in_response_to_values<'a>(answer: &Answer<'a>) -> Vec<&'a str> {
    let of_confirmations =
        confirmations(answer.assertion).iter().filter_map(|c| c.in_response_to.as_deref());
    answer.envelope.in_response_to.as_deref().into_iter().chain(of_confirmations).collect()
}

/// SAML Bindings §3.5.5.2: required where the Response is signed. Exact where present.
pub(super) fn destination_is_our_acs(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    match &answer.envelope.destination {
        Some(received) if received == expect.acs => compared(expect.acs, received),
        Some(received) => Err(Rejection::DestinationMismatch {
            expected: expect.acs.to_owned(),
            received: received.clone(),
        }),
        None if answer.envelope.is_signed => {
            Err(Rejection::DestinationMissing { expected: expect.acs.to_owned() })
        }
        None => Ok(Seen::NotApplicable("an unsigned Response may leave Destination out")),
    }
}
