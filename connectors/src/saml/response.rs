//! Reads what stands on the Response, around the assertion.

use super::envelope::{Envelope, Status};
use super::names::Namespace;
use super::rejection::Rejection;
use super::tree::Element;

/// The most status codes that are read; Core nests them without a limit, real ones are two deep.
const MAX_STATUS_CODES: usize = 8;

impl Envelope {
    /// SAML Core §3.2.2. `is_signed` says whether `response` was parsed from verified bytes.
    pub(super) fn read(response: Element<'_>, is_signed: bool) -> Result<Self, Rejection> {
        let issuer = at_most_one(response, Namespace::SAML, "Issuer", "several Issuers")?;
        let status = at_most_one(response, Namespace::SAMLP, "Status", "several Status elements")?;
        let required = |name, what| {
            response.attribute(name).ok_or(Rejection::Malformed { what }).map(str::to_owned)
        };
        Ok(Self {
            id: required("ID", "Response without ID")?,
            version: required("Version", "Response without Version")?,
            issue_instant: required("IssueInstant", "Response without IssueInstant")?,
            destination: response.attribute("Destination").map(str::to_owned),
            in_response_to: response.attribute("InResponseTo").map(str::to_owned),
            issuer: issuer.map(|issuer| text_of(issuer, "Issuer")).transpose()?,
            issuer_format: issuer.and_then(|issuer| issuer.attribute("Format")).map(str::to_owned),
            status: read_status(
                status.ok_or(Rejection::Malformed { what: "Response without Status" })?,
            )?,
            is_signed,
        })
    }
}

/// SAML Core §3.2.2.1: a code, codes inside it, a message.
fn read_status(status: Element<'_>) -> Result<Status, Rejection> {
    let mut codes = Vec::with_capacity(2);
    let mut next = at_most_one(status, Namespace::SAMLP, "StatusCode", "several StatusCodes")?;
    while let Some(code) = next {
        if codes.len() == MAX_STATUS_CODES {
            return Err(Rejection::Malformed { what: "StatusCodes nested too deep" });
        }
        let value = code
            .attribute("Value")
            .ok_or(Rejection::Malformed { what: "StatusCode without Value" })?;
        codes.push(value.to_owned());
        next = at_most_one(code, Namespace::SAMLP, "StatusCode", "several StatusCodes")?;
    }
    let message = at_most_one(status, Namespace::SAMLP, "StatusMessage", "several StatusMessages")?;
    let message = message.map(|message| text_of(message, "StatusMessage")).transpose()?;
    Ok(Status { codes, message })
}

fn text_of(element: Element<'_>, field: &'static str) -> Result<String, Rejection> {
    element.only_text().map(str::to_owned).ok_or(Rejection::MixedContent { field })
}

fn at_most_one<'t>(
    parent: Element<'t>,
    namespace: Namespace,
    name: &str,
    several: &'static str,
) -> Result<Option<Element<'t>>, Rejection> {
    let mut found = parent.child_elements().filter(|child| child.is(namespace, name));
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(Rejection::Malformed { what: several }),
    }
}
