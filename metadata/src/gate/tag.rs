//! The inside of a start tag: a name, then attributes (XML 1.0 §3.1).

use super::GateError;
use super::text::{find_byte, is_space};

/// Splits a start tag into its name and what follows it.
pub(crate) fn split_name(tag: &[u8]) -> (&[u8], &[u8]) {
    let end = tag.iter().position(|&b| is_space(b)).unwrap_or(tag.len());
    tag.split_at_checked(end).unwrap_or((tag, &[]))
}

/// The attributes of a start tag or an XML declaration: raw names and raw values. Whether the
/// names are names, unique and declared is the scanner's to say.
pub(crate) fn attributes(tag: &[u8]) -> Attributes<'_> {
    Attributes { length: tag.len(), rest: split_name(tag).1 }
}

/// One attribute as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawAttribute<'a> {
    /// Where the name begins in the tag.
    pub(crate) at: usize,
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
}

/// The iterator of [`attributes`]. It ends after the first error.
#[derive(Clone, Debug)]
pub(crate) struct Attributes<'a> {
    length: usize,
    rest: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<RawAttribute<'a>, GateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let trimmed = trim_start(self.rest);
        if trimmed.is_empty() {
            return None;
        }
        let is_apart = trimmed.len() < self.rest.len();
        self.rest = &[];
        let parsed = if is_apart { parse(trimmed) } else { None };
        Some(match parsed {
            Some((name, value, rest)) => {
                self.rest = rest;
                Ok(RawAttribute { at: self.length - trimmed.len(), name, value })
            }
            None => Err(GateError::NotWellFormed { reason: "a tag with malformed attributes" }),
        })
    }
}

/// `Name S? = S? "value"`
fn parse(input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let end = input.iter().position(|&b| b == b'=' || is_space(b))?;
    let (name, rest) = input.split_at_checked(end)?;
    let rest = trim_start(trim_start(rest).strip_prefix(b"=")?);
    let (&quote, rest) = rest.split_first()?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let end = find_byte(rest, quote)?;
    let (value, rest) = rest.split_at_checked(end)?;
    Some((name, value, rest.get(1..)?))
}

fn trim_start(input: &[u8]) -> &[u8] {
    let start = input.iter().position(|&b| !is_space(b)).unwrap_or(input.len());
    input.get(start..).unwrap_or_default()
}
