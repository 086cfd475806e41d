//! Characters and references (XML 1.0 §2.2, §4.1).

use super::GateError;

/// UTF-8 of nothing but XML 1.0 `Char`s.
pub(crate) fn check_characters(bytes: &[u8]) -> Result<&str, GateError> {
    let text = std::str::from_utf8(bytes).map_err(|_| GateError::Encoding)?;
    // Written as folds without an early way out, so that the compiler makes vector code of them.
    let control = bytes.iter().fold(false, |found, &b| found | is_forbidden_control(b));
    // U+FFFE and U+FFFF begin with EF BF in UTF-8; surrogates do not exist in it.
    let may_be_noncharacter = bytes.iter().fold(false, |found, &b| found | (b == 0xef));
    if control || (may_be_noncharacter && text.contains(['\u{fffe}', '\u{ffff}'])) {
        return Err(GateError::Character);
    }
    Ok(text)
}

const fn is_forbidden_control(b: u8) -> bool {
    (b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r')
}

/// XML 1.0 §2.3 `S`.
pub(super) const fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// Without the white space of XML at both ends; that of Unicode stays.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// Character data inside the root element: legal references, no `]]>` (XML 1.0 §2.4).
pub(super) fn check_text(text: &[u8]) -> Result<(), GateError> {
    let special = text.iter().fold(false, |found, &b| found | (b == b'&') | (b == b']'));
    if !special {
        return Ok(());
    }
    if text.windows(3).any(|window| window == b"]]>") {
        return Err(GateError::NotWellFormed { reason: "a `]]>` in text" });
    }
    check_references(text)
}

/// Every `&` begins a predefined entity or a reference to a legal character.
pub(super) fn check_references(text: &[u8]) -> Result<(), GateError> {
    let mut rest = text;
    while let Some(at) = find_byte(rest, b'&') {
        let after = rest.get(at + 1..).unwrap_or_default();
        // The longest reasonable reference is `#x0010FFFF`; more zeros would be legal, not sensible.
        let end = after.iter().take(12).position(|&b| b == b';').ok_or(GateError::Reference)?;
        check_reference(after.get(..end).unwrap_or_default())?;
        rest = after.get(end..).unwrap_or_default();
    }
    Ok(())
}

fn check_reference(name: &[u8]) -> Result<(), GateError> {
    let digits = match name {
        b"amp" | b"lt" | b"gt" | b"quot" | b"apos" => return Ok(()),
        [b'#', b'x', hexadecimal @ ..] => (hexadecimal, 16),
        [b'#', decimal @ ..] => (decimal, 10),
        _ => return Err(GateError::Reference),
    };
    let is_digit = |b: &u8| char::from(*b).is_digit(digits.1);
    if !digits.0.iter().all(is_digit) {
        return Err(GateError::Reference);
    }
    let text = std::str::from_utf8(digits.0).map_err(|_| GateError::Reference)?;
    let number = u32::from_str_radix(text, digits.1).map_err(|_| GateError::Reference)?;
    let character = char::from_u32(number).ok_or(GateError::Character)?;
    if matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
    {
        return Err(GateError::Character);
    }
    Ok(())
}

/// The place of the first `byte`.
pub(super) fn find_byte(haystack: &[u8], byte: u8) -> Option<usize> {
    find_by(haystack, |b| b == byte)
}

/// The place of the first byte that `is_sought` names, looked for 32 bytes at a time: the fold has no early way out, so
/// the compiler makes vector code of it.
pub(super) fn find_by(haystack: &[u8], is_sought: impl Fn(u8) -> bool) -> Option<usize> {
    let chunks = haystack.chunks_exact(32);
    let tail = chunks.remainder();
    for (number, chunk) in chunks.enumerate() {
        if chunk.iter().fold(false, |found, &b| found | is_sought(b)) {
            return chunk.iter().position(|&b| is_sought(b)).map(|at| number * 32 + at);
        }
    }
    let start = haystack.len() - tail.len();
    tail.iter().position(|&b| is_sought(b)).map(|at| start + at)
}
