//! What the text of names, references and values means (XML 1.0, Namespaces in XML 1.0).

use super::TreeError;

/// `xmlns` declares the default namespace, `xmlns:p` the prefix `p`.
pub(super) fn declared_prefix(key: &str) -> Option<&str> {
    match key.strip_prefix("xmlns")? {
        "" => Some(""),
        rest => rest.strip_prefix(':'),
    }
}

/// RFC 3986 §3.1: a scheme and a colon. Only such a name can be canonicalised (C14N 1.0 §1.3).
pub(super) fn is_absolute(name: &str) -> bool {
    let Some((scheme, _)) = name.split_once(':') else { return name.is_empty() };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// XML 1.0 §2.11: CR LF and lone CR are LF.
pub(super) fn push_with_line_ends(out: &mut String, piece: &str) {
    let mut rest = piece;
    while let Some((plain, after)) = rest.split_once('\r') {
        out.push_str(plain);
        out.push('\n');
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    out.push_str(rest);
}

/// The character behind `&name;`: the five predefined entities and character references, nothing else.
pub(super) fn resolve(name: &str) -> Result<char, TreeError> {
    let code = match name {
        "amp" => return Ok('&'),
        "apos" => return Ok('\''),
        "gt" => return Ok('>'),
        "lt" => return Ok('<'),
        "quot" => return Ok('"'),
        _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
            (Some(hexadecimal), _) => digits(hexadecimal, 16),
            (None, Some(decimal)) => digits(decimal, 10),
            (None, None) => None,
        },
    };
    code.and_then(char::from_u32)
        .filter(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..))
        .ok_or_else(|| malformed("unknown reference"))
}

fn digits(text: &str, radix: u32) -> Option<u32> {
    // `from_str_radix` would take a sign.
    if text.starts_with('+') { None } else { u32::from_str_radix(text, radix).ok() }
}

pub(super) fn index(value: usize) -> Result<u32, TreeError> {
    u32::try_from(value).map_err(|_| malformed("too large"))
}

pub(super) fn number(value: usize) -> Result<u16, TreeError> {
    u16::try_from(value).map_err(|_| TreeError::TooManyNames)
}

pub(super) fn malformed(reason: &str) -> TreeError {
    TreeError::Malformed(reason.to_owned())
}
