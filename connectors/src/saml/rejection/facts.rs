//! The table behind [`Rejection`]: code, expected, received, fix.

use chrono::{DateTime, SecondsFormat, Utc};

use super::Rejection;

/// What the login trace shows about one refusal.
pub(super) struct Facts {
    pub(super) code: &'static str,
    pub(super) expected: Option<String>,
    pub(super) received: Option<String>,
    pub(super) fix: String,
}

/// The same before its fix is known; every arm of the table has to end with one.
struct Draft {
    code: &'static str,
    expected: Option<String>,
    received: Option<String>,
}

impl Rejection {
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::AssertionCount { found } => fact("saml_assertion_count").want("1").got(found.to_string()).fix(ONE_ASSERTION),
            Self::AssertionExpired { at, now } => after("saml_assertion_expired", at, now).fix(CLOCK_OR_AGAIN),
            Self::AssertionMisplaced => fact("saml_assertion_misplaced").want("a direct child of Response").fix(ONE_ASSERTION),
            Self::AssertionMissing => fact("saml_assertion_missing").want("one Assertion").got("none").fix(SEND_ASSERTION),
            Self::AssertionNotYetValid { at, now } => before("saml_assertion_not_yet_valid", at, now).fix(CLOCK),
            Self::AttributeEncrypted => fact("saml_attribute_encrypted")
                .fix("In the identity provider turn off encryption of single attributes; encrypt the whole assertion instead."),
            Self::AudienceMismatch { expected, received } => {
                fact("saml_audience_mismatch").want(expected).got(received.join(", ")).fix(audience(expected))
            }
            Self::AudienceRestrictionMissing { expected } => {
                fact("saml_audience_missing").want(expected).got("no AudienceRestriction").fix(audience(expected))
            }
            Self::AuthnInFuture { at, now } => before("saml_authn_in_future", at, now).fix(CLOCK),
            Self::AuthnStatementMissing => fact("saml_authn_statement_missing")
                .want("an AuthnStatement")
                .fix("In the identity provider send an authentication statement with the assertion."),
            Self::AuthnTooOld { at, oldest } => fact("saml_authn_too_old")
                .want(format!("{} or later", time(oldest)))
                .got(time(at))
                .fix("In the identity provider honour ForceAuthn: ask the user to sign in again when the request demands it."),
            Self::Base64 => fact("saml_base64_invalid").want("base64").fix(UNCHANGED),
            Self::BearerConfirmationMissing => fact("saml_bearer_confirmation_missing")
                .want("urn:oasis:names:tc:SAML:2.0:cm:bearer")
                .fix("In the identity provider use the web browser SSO profile with bearer subject confirmation."),
            Self::CanonicalFormEmpty => fact("saml_canonical_form_empty").fix(SIGN_PLAINLY),
            Self::CanonicalFormTooLarge { limit } => {
                fact("saml_canonical_form_too_large").want(format!("at most {limit} bytes")).fix(UNCHANGED)
            }
            Self::CanonicalizationMethod { received } => fact("saml_c14n_refused")
                .want("http://www.w3.org/2001/10/xml-exc-c14n#")
                .got(received)
                .fix("In the identity provider set the canonicalization method to exclusive XML canonicalization 1.0."),
            Self::CipherReference => fact("saml_cipher_reference_refused").want("CipherValue").fix(ENCRYPT_PLAINLY),
            Self::ConditionUnknown { received } => fact("saml_condition_unknown")
                .want("NotBefore, NotOnOrAfter, AudienceRestriction, OneTimeUse, ProxyRestriction")
                .got(received)
                .fix(format!("In the identity provider remove the condition `{}` from the assertion.", shown(received))),
            Self::ConditionsMissing { expected } => {
                fact("saml_conditions_missing").want("Conditions with an AudienceRestriction").fix(audience(expected))
            }
            Self::ConfirmationExpired { at, now } => after("saml_confirmation_expired", at, now).fix(CLOCK_OR_AGAIN),
            Self::ConfirmationNotOnOrAfterMissing => fact("saml_confirmation_not_on_or_after_missing")
                .want("SubjectConfirmationData with NotOnOrAfter")
                .fix("In the identity provider limit the lifetime of the subject confirmation (NotOnOrAfter)."),
            Self::ConfirmationNotYetValid { at, now } => before("saml_confirmation_not_yet_valid", at, now).fix(CLOCK),
            Self::ContentCipher { received } => fact("saml_content_cipher_refused")
                .want("AES-128 or AES-256, GCM or CBC")
                .got(received)
                .fix("In the identity provider set the assertion's encryption algorithm to AES-256-GCM."),
            Self::DecryptionFailed => fact("saml_decryption_failed").fix(ENCRYPTION_KEY),
            Self::DecryptionNotConfigured => fact("saml_decryption_not_configured").want("a plain Assertion").got("EncryptedAssertion").fix(
                "Turn on encrypted assertions for this connection and give the identity provider our metadata again, or turn off encryption in the identity provider.",
            ),
            Self::DecryptionsExhausted => {
                fact("saml_decryptions_exhausted").want("one encrypted answer to a request").got("several, none of them good").fix(START_AGAIN)
            }
            Self::DestinationMismatch { expected, received } => {
                fact("saml_destination_mismatch").want(expected).got(received).fix(acs(expected))
            }
            Self::DestinationMissing { expected } => {
                fact("saml_destination_missing").want(expected).got("no Destination").fix(acs(expected))
            }
            Self::DigestAlgorithm { received } => {
                fact("saml_digest_algorithm_refused").want("SHA-256, SHA-384 or SHA-512").got(received).fix(SHA256)
            }
            Self::DigestMismatch { element } => fact("saml_digest_mismatch").got(*element).fix(UNCHANGED),
            Self::EncryptedAssertionUnsigned => fact("saml_encrypted_assertion_unsigned")
                .want("a signature inside the encrypted Assertion, or one of the Response over it")
                .fix("In the identity provider sign assertions as well as encrypting them."),
            Self::EncryptedKeyReused => fact("saml_encrypted_key_reused").want("a new key for each assertion").fix(START_AGAIN),
            Self::EncryptionShape { what } => fact("saml_encryption_malformed").got(*what).fix(ENCRYPT_PLAINLY),
            Self::IdAttributeOdd { name } => fact("saml_id_attribute_odd").want("ID").got(name).fix(UNCHANGED),
            Self::IdInvalid { id } => fact("saml_id_invalid").want("an XML name without a colon").got(id).fix(UNCHANGED),
            Self::IdRepeated { id } => fact("saml_id_repeated").want("every ID once").got(id).fix(UNCHANGED),
            Self::IdpError { codes, message } => idp_error(codes, message.as_deref()),
            Self::InResponseToInconsistent { received } => {
                fact("saml_in_response_to_inconsistent").want("one value").got(received.join(", ")).fix(START_AGAIN)
            }
            Self::InResponseToMismatch { expected, received } => fact("saml_in_response_to_mismatch")
                .want(expected)
                .got(received.as_deref().unwrap_or("no InResponseTo in the signed part"))
                .fix(START_AGAIN),
            Self::InclusiveC14n => fact("saml_inclusive_c14n_refused")
                .want("http://www.w3.org/2001/10/xml-exc-c14n#")
                .got("http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
                .fix("In the identity provider choose exclusive canonicalization; where it cannot, set `allow_inclusive_c14n` on the connection."),
            Self::InvisibleCharacters { field } => fact("saml_invisible_characters")
                .got(*field)
                .fix(format!("In the identity provider remove invisible characters from the value of {field}.")),
            Self::IssuedBeforeEpoch { at, earliest } => fact("saml_issued_before_epoch")
                .want(format!("{} or later", time(earliest)))
                .got(time(at))
                .fix(START_AGAIN),
            Self::IssuedInFuture { element, at, now } => {
                before("saml_issued_in_future", at, now).got(format!("{element} issued at {}", time(at))).fix(CLOCK)
            }
            Self::IssuedTooLongAgo { element, at, now } => after("saml_issued_too_long_ago", at, now)
                .want(format!("at most 24 hours before {}", time(now)))
                .got(format!("{element} issued at {}", time(at)))
                .fix(CLOCK_OR_AGAIN),
            Self::IssuerFormat { element, received } => fact("saml_issuer_format_refused")
                .want("urn:oasis:names:tc:SAML:2.0:nameid-format:entity")
                .got(format!("{element}: {received}"))
                .fix("In the identity provider send the Issuer without Format, or with the entity format."),
            Self::IssuerMismatch { element, expected, received } => {
                fact("saml_issuer_mismatch").want(expected).got(format!("{element}: {received}")).fix(issuer(expected))
            }
            Self::IssuerMissing { element, expected } => {
                fact("saml_issuer_missing").want(expected).got(format!("{element} without Issuer")).fix(issuer(expected))
            }
            Self::KeyTransport { received } => fact("saml_key_transport_refused")
                .want("RSA-OAEP")
                .got(received)
                .fix("In the identity provider set the key transport algorithm to RSA-OAEP."),
            Self::Malformed { what } => fact("saml_malformed").got(*what).fix(UNCHANGED),
            Self::MixedContent { field } => fact("saml_mixed_content")
                .want("text only")
                .got(format!("{field} with other content"))
                .fix(UNCHANGED),
            Self::NamespaceRelative { received } => fact("saml_namespace_relative").want("absolute namespace URIs").got(received).fix(UNCHANGED),
            Self::NotAResponse { received } => fact("saml_not_a_response")
                .want("Response in urn:oasis:names:tc:SAML:2.0:protocol")
                .got(received)
                .fix("In the identity provider use SAML 2.0, HTTP-POST binding, for this application."),
            Self::OaepHashesDiffer { digest, mgf } => fact("saml_oaep_hashes_differ")
                .want("the same hash for digest and mask generation")
                .got(format!("digest {digest}, mask generation {mgf}"))
                .fix("In the identity provider set RSA-OAEP with SHA-256 for both the digest and MGF1, or its default rsa-oaep-mgf1p."),
            Self::OaepParams => fact("saml_oaep_params_refused")
                .want("no OAEPparams")
                .fix("In the identity provider use RSA-OAEP without parameters (OAEPparams)."),
            Self::PendingLoginMissing => fact("saml_pending_login_missing").want("an answer to a pending login").fix(START_AGAIN),
            Self::PrefixListTooLong => fact("saml_prefix_list_too_long").want("at most 512 bytes").fix(SIGN_PLAINLY),
            Self::RecipientMismatch { expected, received } => fact("saml_recipient_mismatch")
                .want(expected)
                .got(received.as_deref().unwrap_or("no Recipient"))
                .fix(acs(expected)),
            Self::RequestHandle => fact("saml_request_handle_unfit").want("22 to 80 letters, digits, `-`, `_`, `.`").fix(START_AGAIN),
            Self::RequestKeyMissing => fact("saml_request_key_missing")
                .want("a signed request")
                .fix("Give the connection a key, or set its `sign_requests` to false if the identity provider takes unsigned requests."),
            Self::RequestSigningFailed => fact("saml_request_signing_failed").fix("Make a new key for the connection."),
            Self::ResponseTooLarge { limit } => fact("saml_response_too_large")
                .want(format!("at most {limit} bytes"))
                .fix("In the identity provider send fewer attributes (often: only the groups that are assigned to the application), or raise `max_response_bytes` on the connection."),
            Self::RetrievalMethod => fact("saml_retrieval_method_refused").fix(ENCRYPT_PLAINLY),
            Self::SessionOver { at, now } => after("saml_session_over", at, now).fix(
                "In the identity provider check the session lifetime of this application (SessionNotOnOrAfter) and the server's clock.",
            ),
            Self::Sha1 { received } => fact("saml_sha1_refused").want("RSA-SHA256 and SHA-256").got(received).fix(SHA1),
            Self::SignatureAlgorithm { received } => {
                fact("saml_signature_algorithm_refused").want("RSA or ECDSA with SHA-256, SHA-384 or SHA-512").got(received).fix(SHA256)
            }
            Self::SignatureCount { found } => {
                fact("saml_signature_count").want("one a signed element, two at most").got(found.to_string()).fix(SIGN_PLAINLY)
            }
            Self::SignatureInvalid { element } => fact("saml_signature_invalid")
                .want("a signature by one of the certificates of the connection")
                .got(format!("{element} signed by another key, or changed"))
                .fix("Import the identity provider's current metadata: its signing certificate may have changed."),
            Self::SignatureMisplaced => fact("saml_signature_misplaced").want("right after Issuer").fix(SIGN_PLAINLY),
            Self::SignatureMissing => fact("saml_signature_missing")
                .want("a signed Response or a signed Assertion")
                .got("no signature")
                .fix("In the identity provider turn on signing of assertions."),
            Self::SignatureReference { expected, received } => fact("saml_signature_reference_refused")
                .want(expected)
                .got(received.as_deref().unwrap_or("no URI"))
                .fix(SIGN_PLAINLY),
            Self::SignatureShape { what } => fact("saml_signature_malformed").got(*what).fix(SIGN_PLAINLY),
            Self::SsoEndpointMissing => fact("saml_sso_endpoint_missing")
                .want("a SingleSignOnService with HTTP-Redirect or HTTP-POST")
                .fix("Import metadata of the identity provider that lists its single sign-on endpoint."),
            Self::SubjectAttributeMissing { name } => fact("saml_subject_attribute_missing")
                .want(name)
                .got("not sent, or empty")
                .fix(format!("In the identity provider send the attribute `{}` for every user.", shown(name))),
            Self::SubjectAttributeUnreadable { name } => fact("saml_subject_attribute_unreadable")
                .want(format!("{name} as a GUID"))
                .fix(format!("In Entra ID send `{name}` unchanged, as the application's default claims have it.")),
            Self::SubjectEncrypted => fact("saml_subject_encrypted")
                .want("NameID")
                .got("EncryptedID")
                .fix("In the identity provider turn off NameID encryption; encrypt the whole assertion instead."),
            Self::SubjectSeveralValues { name } => fact("saml_subject_several_values")
                .want(format!("one value of {name}"))
                .got("several")
                .fix(format!("In the identity provider send one value in `{}`, or choose another subject attribute.", shown(name))),
            Self::SubjectTransient { received } => fact("saml_subject_transient")
                .want("a NameID that stays the same at every login")
                .got(received.as_deref().unwrap_or("no NameID"))
                .fix(PERSISTENT),
            Self::TimeUnreadable { field, received } => fact("saml_time_unreadable")
                .want("a time in UTC like 2030-01-31T12:00:00Z")
                .got(format!("{field} {received}"))
                .fix("In the identity provider send times in UTC, with a `Z` at the end."),
            Self::Transform { received } => {
                fact("saml_transform_refused").want("enveloped-signature, then exclusive c14n").got(received).fix(SIGN_PLAINLY)
            }
            Self::Unsolicited => fact("saml_unsolicited").want("an answer to a login that began here").got("no InResponseTo").fix(
                "Start the login at the application, or turn on IdP-initiated login for this connection.",
            ),
            Self::Version { element, received } => fact("saml_version_refused")
                .want("2.0")
                .got(format!("{element} {received}"))
                .fix("In the identity provider use SAML 2.0 for this application."),
            Self::Xml { reason } => fact("saml_xml_refused").want("plain XML in UTF-8").got(*reason).fix(UNCHANGED),
        }
    }
}

const CLOCK: &str = "Set the clock of the identity provider's server by NTP, or raise `clock_skew_seconds` on the connection.";
const CLOCK_OR_AGAIN: &str = "Start the login again. If it happens every time, set the clock of the identity provider's server by NTP, or raise `clock_skew_seconds` on the connection.";
const ENCRYPTION_KEY: &str = "Give the identity provider our current metadata, so that it encrypts with the current certificate of this connection.";
const ENCRYPT_PLAINLY: &str = "In the identity provider use its default encryption: the whole assertion, AES-256-GCM, RSA-OAEP, key and data in one place.";
const ONE_ASSERTION: &str =
    "In the identity provider send one assertion per response, directly inside it.";
const PERSISTENT: &str = "In the identity provider send a persistent NameID (urn:oasis:names:tc:SAML:2.0:nameid-format:persistent), or send an attribute that never changes and set it as `subject_attribute` of the connection.";
const SEND_ASSERTION: &str = "In the identity provider assign the user to this application and turn on assertions in its response.";
const SHA1: &str = "In the identity provider set the signature algorithm to RSA-SHA256 and the digest to SHA-256. In Auth0's SAML add-on: `\"signatureAlgorithm\": \"rsa-sha256\", \"digestAlgorithm\": \"sha256\"`.";
const SHA256: &str =
    "In the identity provider set the signature algorithm to RSA-SHA256 and the digest to SHA-256.";
const SIGN_PLAINLY: &str = "In the identity provider use its default signature: enveloped, exclusive canonicalization, one reference to the signed element.";
const START_AGAIN: &str = "Start the login again from the application.";
const UNCHANGED: &str = "Start the login again. If it happens every time, something between the identity provider and us changes the response, or the identity provider does not speak SAML 2.0 properly.";

/// Auth0's add-on sends its own idea of Destination and no Recipient unless it is told both.
fn acs(expected: &str) -> String {
    format!(
        "In the identity provider set the assertion consumer service (ACS, Reply URL; in Auth0's SAML add-on `recipient` and `destination`) to `{expected}`."
    )
}

fn audience(expected: &str) -> String {
    format!("In the identity provider set Audience / Entity ID to `{expected}`.")
}

fn issuer(expected: &str) -> String {
    format!(
        "In the identity provider set its own entity ID (Issuer) to `{expected}`, or import its current metadata into the connection."
    )
}

/// SAML Core §3.2.2.2: the second-level code says more than the first.
fn idp_error(codes: &[String], message: Option<&str>) -> Facts {
    let mut received = codes.join(" / ");
    if let Some(message) = message {
        received = format!("{received}: {}", without_addresses(message));
    }
    let second = codes.get(1).map(|code| code.rsplit(':').next().unwrap_or(code));
    let fix = match second {
        Some("InvalidNameIDPolicy") => {
            "In the identity provider allow the NameID format that the connection asks for, or remove `name_id_format` from the connection."
        }
        Some("NoAuthnContext") => {
            "The identity provider cannot authenticate the user in the way that was asked for: remove the requested `acr_values` or add the method there."
        }
        Some(
            "RequestUnsupported"
            | "UnsupportedBinding"
            | "RequestVersionDeprecated"
            | "RequestVersionTooLow",
        ) => {
            "In the identity provider allow SAML 2.0 requests by the binding that its metadata offers."
        }
        _ => {
            "Look up this time and status in the identity provider's log; often the user is not assigned to the application, or the application's signing certificate or entity ID there is not ours."
        }
    };
    fact("saml_idp_error").want("urn:oasis:names:tc:SAML:2.0:status:Success").got(received).fix(fix)
}

/// IdPs like to name the user in their message; a trace does not.
fn without_addresses(message: &str) -> String {
    let word =
        |word: &str| if word.contains('@') { "(address)".to_owned() } else { word.to_owned() };
    message.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

fn fact(code: &'static str) -> Draft {
    Draft { code, expected: None, received: None }
}

fn after(code: &'static str, at: &DateTime<Utc>, now: &DateTime<Utc>) -> Draft {
    fact(code).want(format!("later than {}", time(now))).got(time(at))
}

fn before(code: &'static str, at: &DateTime<Utc>, now: &DateTime<Utc>) -> Draft {
    fact(code).want(format!("not later than {}", time(now))).got(time(at))
}

impl Draft {
    fn want(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    fn got(mut self, received: impl Into<String>) -> Self {
        self.received = Some(shown(&received.into()));
        self
    }

    fn fix(self, fix: impl Into<String>) -> Facts {
        let Self { code, expected, received } = self;
        Facts { code, expected, received, fix: fix.into() }
    }
}

fn time(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// At most this many characters of a document are repeated in a trace.
const SHOWN_CHARACTERS: usize = 300;

/// Makes text from a document fit to be shown: cut, and everything that does not print escaped.
fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(SHOWN_CHARACTERS).flat_map(printable).collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        out.push('…');
    }
    out
}

/// `escape_debug` also escapes quotes and backslashes, which print well.
fn printable(c: char) -> Vec<char> {
    if matches!(c, '\'' | '"' | '\\') { vec![c] } else { c.escape_debug().collect() }
}
