//! Distinguished names: as text (RFC 4514) and as they stand in a certificate, compared part by part.

use std::fmt;
use std::str::FromStr;

use x509_parser::der_parser::asn1_rs::Oid;
use x509_parser::x509::X509Name;

#[cfg(test)]
mod tests;

/// A name: its relative names from the root down, each a set of attribute types and values.
///
/// Values are compared as they are, letter by letter; RFC 4517 would fold case and spaces. Who registers a name copies it
/// from the certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DistinguishedName(Vec<Vec<(String, String)>>);

/// The text is no distinguished name of RFC 4514.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("must be a distinguished name such as `CN=app,O=Acme,C=GB` (RFC 4514)")]
pub struct InvalidDistinguishedName;

/// Short names (RFC 4514 §3, and what OpenSSL and Java write) and their object identifiers.
const TYPES: [(&str, &str); 16] = [
    ("CN", "2.5.4.3"),
    ("SN", "2.5.4.4"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("TITLE", "2.5.4.12"),
    ("GN", "2.5.4.42"),
    ("ORGANIZATIONIDENTIFIER", "2.5.4.97"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
    ("E", "1.2.840.113549.1.9.1"),
];

impl DistinguishedName {
    /// The name in a certificate; `None` where a value is no text.
    pub(crate) fn of_certificate(name: &X509Name<'_>) -> Option<Self> {
        let relative = |rdn: &x509_parser::x509::RelativeDistinguishedName<'_>| {
            let parts = rdn
                .iter()
                .map(|part| Some((oid_text(part.attr_type()), part.as_str().ok()?.to_owned())));
            parts.collect::<Option<Vec<_>>>().map(sorted)
        };
        name.iter().map(relative).collect::<Option<Vec<_>>>().map(Self)
    }
}

/// RFC 4514 §3, the last relative name first. Hexadecimal values (`#…`) are not read.
impl FromStr for DistinguishedName {
    type Err = InvalidDistinguishedName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut reader = Reader { rest: text.chars().peekable() };
        let mut names = vec![vec![reader.part()?]];
        while let Some(separator) = reader.rest.next() {
            let part = reader.part()?;
            match (separator, names.last_mut()) {
                ('+', Some(last)) => last.push(part),
                (',', _) => names.push(vec![part]),
                _ => return Err(InvalidDistinguishedName),
            }
        }
        Ok(Self(names.into_iter().rev().map(sorted).collect()))
    }
}

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Reader<'_> {
    /// `type=value`.
    fn part(&mut self) -> Result<(String, String), InvalidDistinguishedName> {
        let mut name = String::new();
        loop {
            match self.rest.next().ok_or(InvalidDistinguishedName)? {
                '=' => break,
                letter => name.push(letter),
            }
        }
        let name = attribute_type(name.trim()).ok_or(InvalidDistinguishedName)?;
        Ok((name, self.value()?))
    }

    /// RFC 4514 §2.4: up to an unescaped `,` or `+`.
    fn value(&mut self) -> Result<String, InvalidDistinguishedName> {
        while self.rest.next_if_eq(&' ').is_some() {}
        let mut bytes = Vec::new();
        // spaces at the end count only where they were escaped
        let mut kept = 0;
        while let Some(letter) = self.rest.next_if(|letter| !matches!(letter, ',' | '+')) {
            let mut buffer = [0; 4];
            match letter {
                '\\' => self.escaped(&mut bytes)?,
                '"' | ';' | '<' | '>' | '\0' => return Err(InvalidDistinguishedName),
                '#' if bytes.is_empty() => return Err(InvalidDistinguishedName),
                other => bytes.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes()),
            }
            if letter != ' ' {
                kept = bytes.len();
            }
        }
        bytes.truncate(kept);
        if bytes.is_empty() {
            return Err(InvalidDistinguishedName);
        }
        String::from_utf8(bytes).map_err(|_| InvalidDistinguishedName)
    }

    /// Behind a backslash: a special character, or a byte as two hexadecimal digits.
    fn escaped(&mut self, bytes: &mut Vec<u8>) -> Result<(), InvalidDistinguishedName> {
        let first = self.rest.next().ok_or(InvalidDistinguishedName)?;
        if matches!(first, ' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\') {
            bytes.extend(u8::try_from(first));
            return Ok(());
        }
        let second = self.rest.next().ok_or(InvalidDistinguishedName)?;
        let pair = hex::decode(format!("{first}{second}")).map_err(|_| InvalidDistinguishedName)?;
        bytes.extend(pair);
        Ok(())
    }
}

/// The object identifier of a short name, or the identifier itself.
fn attribute_type(name: &str) -> Option<String> {
    let short = TYPES.iter().find(|(short, _)| short.eq_ignore_ascii_case(name));
    let dotted = name.contains('.') && name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match short {
        Some((_, oid)) => Some((*oid).to_owned()),
        None => dotted.then(|| name.to_owned()),
    }
}

fn oid_text(oid: &Oid<'_>) -> String {
    oid.to_id_string()
}

/// A relative name is a set.
fn sorted(mut parts: Vec<(String, String)>) -> Vec<(String, String)> {
    parts.sort();
    parts
}

/// RFC 4514 §2, with the short names that there are.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, relative) in self.0.iter().rev().enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            for (place, (oid, value)) in relative.iter().enumerate() {
                let short = TYPES.iter().find(|(_, known)| known == oid);
                let name = short.map_or(oid.as_str(), |(short, _)| short);
                let plus = if place == 0 { "" } else { "+" };
                write!(f, "{plus}{name}={}", escape(value))?;
            }
        }
        Ok(())
    }
}

fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (place, letter) in value.chars().enumerate() {
        let special = matches!(letter, '"' | '+' | ',' | ';' | '<' | '>' | '\\');
        let edge =
            (letter == ' ' && (place == 0 || place == last)) || (letter == '#' && place == 0);
        if letter == '\0' {
            out.push_str("\\00");
            continue;
        }
        if special || edge {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}
