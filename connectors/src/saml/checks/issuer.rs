//! Who speaks.

use super::{Answer, Expectation, Seen, compared};
use crate::invisible::has_invisible;
use crate::saml::rejection::Rejection;

/// SAML Profiles §4.1.4.2: may be left out only where the Response is unsigned and nothing is encrypted.
pub(super) fn response_issuer_is_the_idp(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let envelope = answer.envelope;
    match &envelope.issuer {
        Some(issuer) => {
            issuer_is_the_idp("Response", issuer, envelope.issuer_format.as_deref(), expect)
        }
        None if envelope.is_signed || answer.was_encrypted => Err(Rejection::IssuerMissing {
            element: "Response",
            expected: expect.issuer.to_owned(),
        }),
        None => Ok(Seen::NotApplicable("an unsigned Response may leave Issuer out")),
    }
}

/// SAML Core §2.2.5.
pub(super) fn assertion_issuer_is_the_idp(
    answer: &Answer<'_>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    let issuer = &answer.assertion.issuer;
    if issuer.value.is_empty() {
        return Err(Rejection::IssuerMissing {
            element: "Assertion",
            expected: expect.issuer.to_owned(),
        });
    }
    issuer_is_the_idp("Assertion", &issuer.value, issuer.format.as_deref(), expect)
}

/// SAML Profiles §4.1.4.2: the exact entity ID, with the entity format or none.
fn issuer_is_the_idp(
    element: &'static str,
    issuer: &str,
    format: Option<&str>,
    expect: &Expectation<'_>,
) -> Result<Seen, Rejection> {
    if let Some(format) = format
        && format != "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
    {
        return Err(Rejection::IssuerFormat { element, received: format.to_owned() });
    }
    if has_invisible(issuer) {
        return Err(Rejection::InvisibleCharacters { field: "Issuer" });
    }
    if issuer != expect.issuer {
        let expected = expect.issuer.to_owned();
        return Err(Rejection::IssuerMismatch { element, expected, received: issuer.to_owned() });
    }
    compared(expect.issuer, issuer)
}
