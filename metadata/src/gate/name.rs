//! Names (XML 1.0 §2.3, Namespaces in XML 1.0 §4).

use super::GateError;

/// Splits a QName into its prefix (empty where there is none) and its local part.
pub(super) fn split_qname(name: &[u8]) -> Result<(&[u8], &[u8]), GateError> {
    let (prefix, local) = match name.iter().position(|&b| b == b':') {
        None => (&[][..], name),
        Some(colon) => {
            let (prefix, rest) = name.split_at(colon);
            let local = rest.get(1..).unwrap_or_default();
            check_ncname(prefix)?;
            (prefix, local)
        }
    };
    check_ncname(local)?;
    Ok((prefix, local))
}

fn check_ncname(name: &[u8]) -> Result<(), GateError> {
    let bad = GateError::NotWellFormed { reason: "a name that is none" };
    let Some((&first, rest)) = name.split_first() else {
        return Err(bad);
    };
    if name.is_ascii() {
        let good = is_ascii_start(first) && rest.iter().all(|&b| is_ascii_name(b));
        return if good { Ok(()) } else { Err(bad) };
    }
    let text = std::str::from_utf8(name).map_err(|_| GateError::Encoding)?;
    let mut chars = text.chars();
    let good = chars.next().is_some_and(is_name_start) && chars.all(is_name);
    if good { Ok(()) } else { Err(bad) }
}

const fn is_ascii_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_'
}

const fn is_ascii_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')
}

/// `NameStartChar` without the colon.
const fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// `NameChar` without the colon.
const fn is_name(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
