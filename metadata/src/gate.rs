//! The gate: what every XML document passes before a parser sees it.
//!
//! The XML readers behind it are fast because they do not check everything that XML 1.0 asks for,
//! and two lenient readers may understand one document in two ways. That is how a signature over
//! one thing comes to vouch for another. So the gate is a scanner of its own that lets only the
//! unambiguous part of XML through. **A text that [`check`] returned has these properties**, and
//! the code behind it relies on them:
//!
//! - It is UTF-8 without a byte order mark; every character is an XML 1.0 `Char`, also where it is
//!   written as a reference. A declared version is `1.0`, a declared encoding `UTF-8`.
//! - There is no document type declaration, so no entity but the five predefined ones and no
//!   defaulted attribute. There is no processing instruction.
//! - It is well-formed (XML 1.0 §2.1): one root, only white space and comments around it, start
//!   and end tags that match, no `<` in attribute values, no `]]>` in text, no `--` in comments,
//!   no attribute twice.
//! - It is namespace-well-formed (Namespaces in XML 1.0): names are QNames, every prefix is
//!   declared, `xml` and `xmlns` are not rebound, no prefix is undeclared, no attribute occurs
//!   twice by expanded name.
//! - A namespace name is written without references and white space, so the raw text between the
//!   quotes is the namespace name, and it is no relative reference. This is stricter than XML:
//!   readers differ in the first, canonicalisation fails on the second.
//! - It keeps to [`Limits`]: bytes, depth, elements, attributes (namespace declarations count),
//!   and at most [`MAX_NAMESPACES_IN_SCOPE`] namespace declarations in scope.
//!
//! Nothing is copied and nothing is allocated per tag; time is linear in the size, whatever the
//! content is.

mod name;
mod namespaces;
mod scanner;
mod tag;
mod text;
mod token;

#[cfg(test)]
mod tests;

pub(crate) use scanner::Scanner;
pub(crate) use tag::{attributes, split_name};
pub(crate) use text::{check_characters, trim};
pub(crate) use token::{Step, Token, next_token};

/// How many namespace declarations may be in scope at one place.
pub const MAX_NAMESPACES_IN_SCOPE: usize = 128;

/// What a document may cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes of the whole document.
    pub max_bytes: usize,
    /// Elements around each other; a document of one element has depth 1.
    pub max_depth: u32,
    /// Elements in all.
    pub max_elements: u32,
    /// Attributes and namespace declarations of one element.
    pub max_attributes: u32,
}

impl Limits {
    /// For a SAML response: 256 KiB, because 200 groups in it are 46-63 KB.
    pub const RESPONSE: Self =
        Self { max_bytes: 256 * 1024, max_depth: 48, max_elements: 20_000, max_attributes: 64 };
    /// For the metadata of one entity: 1 MiB.
    pub const METADATA: Self = Self { max_bytes: 1024 * 1024, ..Self::RESPONSE };
}

/// Lets a document through, or says why not. The text that comes back is the whole document
/// without its byte order mark.
///
/// # Errors
/// [`GateError`], one variant a rule.
pub fn check<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, GateError> {
    if bytes.len() > limits.max_bytes {
        return Err(GateError::TooLarge { limit: limits.max_bytes });
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let document = check_characters(bytes)?;
    let mut scanner = Scanner::new(*limits);
    let mut rest = bytes;
    while !rest.is_empty() {
        match next_token(rest, true)? {
            Step::Token(token, after) => {
                scanner.accept(&token)?;
                rest = after;
            }
            Step::More => return Err(GateError::Incomplete),
        }
    }
    scanner.finish()?;
    Ok(document)
}

pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a document was not let through.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GateError {
    /// A character, or a reference to one, that XML 1.0 does not know (§2.2), NUL among them.
    #[error("holds a character that XML 1.0 does not allow")]
    Character,
    /// The XML declaration is not `<?xml version="1.0" encoding="UTF-8"?>` or a part of that.
    #[error("has an XML declaration of another version or form")]
    Declaration,
    /// There is a document type declaration (`<!DOCTYPE`) or another markup declaration.
    #[error("has a document type declaration")]
    Doctype,
    /// It is not UTF-8, or says so.
    #[error("is not UTF-8")]
    Encoding,
    /// It ends too early, or has no root element.
    #[error("ends before its root element does")]
    Incomplete,
    /// Namespaces in XML 1.0 is broken.
    #[error("is not namespace-well-formed: {reason}")]
    Namespace {
        /// What is wrong, in a few words.
        reason: &'static str,
    },
    /// XML 1.0 is broken.
    #[error("is not well-formed XML: {reason}")]
    NotWellFormed {
        /// What is wrong, in a few words.
        reason: &'static str,
    },
    /// There is more than white space and comments around the root element, or a second root.
    #[error("has content outside its root element")]
    OutsideRoot,
    /// There is a processing instruction.
    #[error("has a processing instruction")]
    ProcessingInstruction,
    /// A reference to something else than a predefined entity or a character.
    #[error("refers to an entity that is not predefined")]
    Reference,
    /// Elements lie too deep in each other.
    #[error("is nested deeper than {limit} elements")]
    TooDeep {
        /// The limit that was passed.
        limit: u32,
    },
    /// The document has too many bytes.
    #[error("is larger than {limit} bytes")]
    TooLarge {
        /// The limit that was passed, in bytes.
        limit: usize,
    },
    /// One element has too many attributes and namespace declarations.
    #[error("has an element with more than {limit} attributes")]
    TooManyAttributes {
        /// The limit that was passed.
        limit: u32,
    },
    /// The document has too many elements.
    #[error("has more than {limit} elements")]
    TooManyElements {
        /// The limit that was passed.
        limit: u32,
    },
    /// More than [`MAX_NAMESPACES_IN_SCOPE`] declarations are in scope.
    #[error("has more than {MAX_NAMESPACES_IN_SCOPE} namespace declarations in scope")]
    TooManyNamespaces,
}

impl GateError {
    /// A stable name of the rule that was broken.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Character => "xml_character",
            Self::Declaration => "xml_declaration",
            Self::Doctype => "xml_doctype",
            Self::Encoding => "xml_encoding",
            Self::Incomplete => "xml_incomplete",
            Self::Namespace { .. } => "xml_namespace",
            Self::NotWellFormed { .. } => "xml_not_well_formed",
            Self::OutsideRoot => "xml_outside_root",
            Self::ProcessingInstruction => "xml_processing_instruction",
            Self::Reference => "xml_reference",
            Self::TooDeep { .. } => "xml_too_deep",
            Self::TooLarge { .. } => "xml_too_large",
            Self::TooManyAttributes { .. } => "xml_too_many_attributes",
            Self::TooManyElements { .. } => "xml_too_many_elements",
            Self::TooManyNamespaces => "xml_too_many_namespaces",
        }
    }
}
