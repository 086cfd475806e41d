//! Cuts a document into tokens at its angle brackets.

use super::GateError;
use super::text::{find_by, find_byte, is_space};

/// One piece of markup or text, as raw bytes between its delimiters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Token<'a> {
    /// `<![CDATA[…]]>`
    CData(&'a [u8]),
    /// `<!--…-->`
    Comment(&'a [u8]),
    /// `<?xml…?>`: what follows the three letters.
    Declaration(&'a [u8]),
    /// `<…/>`
    Empty(&'a [u8]),
    /// `</…>`
    End(&'a [u8]),
    /// `<…>`
    Start(&'a [u8]),
    /// Character data with its references.
    Text(&'a [u8]),
}

/// What the beginning of the input is.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// The input ends before its first token does.
    More,
    /// The first token, and what follows it.
    Token(Token<'a>, &'a [u8]),
}

/// Takes the first token off `input`. With `is_last` nothing follows `input`, so text may end with it.
///
/// Delimiters are ASCII, so a token never ends inside a UTF-8 sequence.
pub(crate) fn next_token(input: &[u8], is_last: bool) -> Result<Step<'_>, GateError> {
    match input {
        [] | [b'<'] => Ok(Step::More),
        [b'<', b'!', rest @ ..] => comment_or_cdata(rest),
        [b'<', b'?', rest @ ..] => declaration(rest),
        [b'<', b'/', rest @ ..] => Ok(split_at(rest, find_byte(rest, b'>'), 1, Token::End)),
        [b'<', rest @ ..] => start_tag(rest),
        _ => match find_byte(input, b'<') {
            None if is_last => Ok(Step::Token(Token::Text(input), &[])),
            found => Ok(split_at(input, found, 0, Token::Text)),
        },
    }
}

/// The token of `input` up to `end`, and the rest after a delimiter of `skip` bytes.
fn split_at<'a>(
    input: &'a [u8],
    end: Option<usize>,
    skip: usize,
    token: fn(&'a [u8]) -> Token<'a>,
) -> Step<'a> {
    let parts = end.and_then(|end| input.split_at_checked(end));
    let Some((inside, rest)) = parts else {
        return Step::More;
    };
    Step::Token(token(inside), rest.get(skip..).unwrap_or_default())
}

fn start_tag(rest: &[u8]) -> Result<Step<'_>, GateError> {
    let mut at = 0;
    while let Some(tail) = rest.get(at..) {
        let Some(found) = tail.iter().position(|&b| matches!(b, b'<' | b'>' | b'"' | b'\'')) else {
            break;
        };
        match tail.get(found) {
            Some(b'>') => return Ok(split_at(rest, Some(at + found), 1, start_or_empty)),
            Some(&quote @ (b'"' | b'\'')) => match end_of_value(tail, found + 1, quote)? {
                Some(after) => at += after,
                None => break,
            },
            Some(_) | None => return Err(LESS_THAN_IN_TAG),
        }
    }
    Ok(Step::More)
}

/// XML 1.0 §3.1, constraint "No < in Attribute Values"; outside a value it is no better.
const LESS_THAN_IN_TAG: GateError = GateError::NotWellFormed { reason: "a `<` inside a tag" };

/// The place after the value that begins at `start` of `tag` and ends with `quote`.
fn end_of_value(tag: &[u8], start: usize, quote: u8) -> Result<Option<usize>, GateError> {
    let value = tag.get(start..).unwrap_or_default();
    let Some(end) = find_by(value, |b| (b == quote) | (b == b'<')) else { return Ok(None) };
    if value.get(end) == Some(&quote) { Ok(Some(start + end + 1)) } else { Err(LESS_THAN_IN_TAG) }
}

fn start_or_empty(inside: &[u8]) -> Token<'_> {
    inside.strip_suffix(b"/").map_or(Token::Start(inside), Token::Empty)
}

fn comment_or_cdata(rest: &[u8]) -> Result<Step<'_>, GateError> {
    if let Some(inside) = rest.strip_prefix(b"--") {
        let Some(end) = find(inside, b"--") else {
            return Ok(Step::More);
        };
        return match inside.get(end + 2) {
            None => Ok(Step::More),
            Some(b'>') => Ok(split_at(inside, Some(end), 3, Token::Comment)),
            Some(_) => Err(GateError::NotWellFormed { reason: "a `--` inside a comment" }),
        };
    }
    if let Some(inside) = rest.strip_prefix(b"[CDATA[") {
        return Ok(split_at(inside, find(inside, b"]]>"), 3, Token::CData));
    }
    if b"--".starts_with(rest) || b"[CDATA[".starts_with(rest) {
        return Ok(Step::More);
    }
    // DOCTYPE is the only other declaration that may stand outside one.
    Err(GateError::Doctype)
}

fn declaration(rest: &[u8]) -> Result<Step<'_>, GateError> {
    if rest.len() < 4 && b"xml".starts_with(rest.get(..3).unwrap_or(rest)) {
        return Ok(Step::More);
    }
    match rest.strip_prefix(b"xml") {
        Some(inside) if inside.first().copied().is_some_and(is_space) => {
            Ok(split_at(inside, find(inside, b"?>"), 2, Token::Declaration))
        }
        _ => Err(GateError::ProcessingInstruction),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    loop {
        let rest = haystack.get(from..)?;
        let at = find_byte(rest, first)?;
        if rest.get(at..).is_some_and(|tail| tail.starts_with(needle)) {
            return Some(from + at);
        }
        from += at + 1;
    }
}
