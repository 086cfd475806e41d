//! Which prefixes are declared, and for what (Namespaces in XML 1.0 §3, §6).

use std::ops::Range;

use super::{GateError, MAX_NAMESPACES_IN_SCOPE};

pub(crate) const XML: &[u8] = b"http://www.w3.org/XML/1998/namespace";
const XMLNS: &[u8] = b"http://www.w3.org/2000/xmlns/";

/// The declarations in scope, innermost last. Their texts lie in one buffer, so that going in and
/// out of elements does not allocate.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    declarations: Vec<Declaration>,
    texts: Vec<u8>,
}

#[derive(Debug)]
struct Declaration {
    prefix: Range<usize>,
    name: Range<usize>,
}

impl Namespaces {
    /// How many declarations are in scope; [`Self::leave`] takes this back.
    pub(super) const fn mark(&self) -> usize {
        self.declarations.len()
    }

    /// Forgets what was declared since the mark.
    pub(super) fn leave(&mut self, mark: usize) {
        if let Some(first) = self.declarations.get(mark) {
            self.texts.truncate(first.prefix.start);
            self.declarations.truncate(mark);
        }
    }

    /// `xmlns="name"` where the prefix is empty, `xmlns:prefix="name"` otherwise.
    pub(super) fn declare(&mut self, prefix: &[u8], name: &[u8]) -> Result<(), GateError> {
        check_declaration(prefix, name)?;
        if self.declarations.len() >= MAX_NAMESPACES_IN_SCOPE {
            return Err(GateError::TooManyNamespaces);
        }
        let prefix = self.keep(prefix);
        let name = self.keep(name);
        self.declarations.push(Declaration { prefix, name });
        Ok(())
    }

    fn keep(&mut self, text: &[u8]) -> Range<usize> {
        let start = self.texts.len();
        self.texts.extend_from_slice(text);
        start..self.texts.len()
    }

    /// The namespace of a prefix. The empty prefix without a declaration is no namespace: empty.
    pub(super) fn resolve(&self, prefix: &[u8]) -> Result<&[u8], GateError> {
        if prefix == b"xml" {
            return Ok(XML);
        }
        let text = |range: &Range<usize>| self.texts.get(range.clone()).unwrap_or_default();
        match self.declarations.iter().rev().find(|d| text(&d.prefix) == prefix) {
            Some(declaration) => Ok(text(&declaration.name)),
            None if prefix.is_empty() => Ok(&[]),
            None => Err(GateError::Namespace { reason: "a prefix that is not declared" }),
        }
    }

    /// All declarations in scope as (prefix, name), outermost first; inner ones hide outer ones.
    pub(super) fn in_scope(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let text = |range: &Range<usize>| self.texts.get(range.clone()).unwrap_or_default();
        self.declarations.iter().map(move |d| (text(&d.prefix), text(&d.name)))
    }
}

fn check_declaration(prefix: &[u8], name: &[u8]) -> Result<(), GateError> {
    let reason = match (prefix, name) {
        (b"xmlns", _) => "the prefix `xmlns` declared",
        (b"xml", XML) => return Ok(()),
        (b"xml", _) | (_, XML) => "the prefix `xml` rebound",
        (_, XMLNS) => "the namespace of `xmlns` bound to a prefix",
        ([_, ..], []) => "a prefix undeclared",
        _ if name.iter().fold(false, |found, b| found | b.is_ascii_whitespace() | (*b == b'&')) => {
            "a namespace name with white space or references"
        }
        (_, [_, ..]) if !has_scheme(name) => "a namespace name that is a relative reference",
        _ => return Ok(()),
    };
    Err(GateError::Namespace { reason })
}

/// RFC 3986 §3.1: `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) ":"`. Relative namespace names are
/// deprecated, and canonicalisation must fail on them (Canonical XML §1.3).
fn has_scheme(name: &[u8]) -> bool {
    let is_scheme = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    let colon = name.iter().position(|b| !is_scheme(b));
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && colon.is_some_and(|at| name.get(at) == Some(&b':'))
}
