//! Request parameters, parsed once, strictly.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// The parameters of a query or form body. One that came twice has no value, and one without a value did not come
/// (RFC 6749 §3.1, §3.2).
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Params {
    values: BTreeMap<String, Vec<String>>,
}

/// Why a query or body holds no parameters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MalformedParams {
    /// A percent sign without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("a parameter is not form-urlencoded UTF-8")]
    Encoding,
    /// No request of a client has so many.
    #[error("there are more than {MOST} parameters")]
    TooMany,
}

/// Parameters of one request.
const MOST: usize = 100;

/// What names APIs may come several times (RFC 8707 §2).
pub const REPEATABLE: [&str; 2] = ["audience", "resource"];

impl Params {
    /// Reads `application/x-www-form-urlencoded` (RFC 6749 appendix B).
    ///
    /// # Errors
    /// [`MalformedParams`].
    pub fn parse(text: &str) -> Result<Self, MalformedParams> {
        let mut params = Self::default();
        for (count, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if count >= MOST {
                return Err(MalformedParams::TooMany);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            params.add(decode(name)?, decode(value)?);
        }
        Ok(params)
    }

    /// Of names and values that are decoded already.
    ///
    /// # Errors
    /// [`MalformedParams::TooMany`].
    pub(super) fn of(pairs: Vec<(String, String)>) -> Result<Self, MalformedParams> {
        if pairs.len() > MOST {
            return Err(MalformedParams::TooMany);
        }
        let mut params = Self::default();
        for (name, value) in pairs {
            params.add(name, value);
        }
        Ok(params)
    }

    /// The value of a parameter that came once and is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        match self.values.get(name).map(Vec::as_slice) {
            Some([value]) => Some(value),
            Some(_) | None => None,
        }
    }

    /// Whether a parameter came, once or more often.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Every value of a parameter, in the order in which they came.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Whether any parameter came more than once that must not: all but those that name APIs ([`REPEATABLE`]).
    pub fn has_repeated(&self) -> bool {
        let allowed = |name: &String| REPEATABLE.contains(&name.as_str());
        self.values.iter().any(|(name, values)| values.len() > 1 && !allowed(name))
    }

    /// Names and values, those of a name in the order in which they came.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let of = |(name, values): (&String, &Vec<String>)| {
            values.iter().map(|value| (name.clone(), value.clone())).collect::<Vec<_>>()
        };
        self.values.iter().flat_map(of).collect()
    }

    /// The names of all parameters.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    fn add(&mut self, name: String, value: String) {
        if value.is_empty() {
            return;
        }
        match self.values.entry(name) {
            Entry::Occupied(mut entry) => entry.get_mut().push(value),
            Entry::Vacant(entry) => {
                entry.insert(vec![value]);
            }
        }
    }
}

/// Codes, secrets and hints are not for logs; names are enough.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// One form-urlencoded value. Unlike the URL standard's reading, what is not UTF-8 is refused and not replaced, because
/// `state` goes back as it came.
///
/// # Errors
/// [`MalformedParams::Encoding`].
pub(super) fn decode(text: &str) -> Result<String, MalformedParams> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (hex(rest.next())?, hex(rest.next())?);
                high * 16 + low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| MalformedParams::Encoding)
}

fn hex(digit: Option<u8>) -> Result<u8, MalformedParams> {
    let value = digit.and_then(|d| char::from(d).to_digit(16)).ok_or(MalformedParams::Encoding)?;
    u8::try_from(value).map_err(|_| MalformedParams::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_came_once() {
        let params = Params::parse("a=1&b=x+y%2Bz%26&c=&d&%C3%A4=%F0%9F%94%91").unwrap();

        assert_eq!(params.get("a"), Some("1"));
        assert_eq!(params.get("b"), Some("x y+z&"));
        assert_eq!(params.get("c"), None);
        assert_eq!(params.get("d"), None);
        assert_eq!(params.get("ä"), Some("🔑"));
        assert!(!params.has("c") && !params.has_repeated());
    }

    #[test]
    fn what_came_twice_has_no_value() {
        for text in ["a=1&a=2", "a=1&a=1", "a=1&%61=2"] {
            let params = Params::parse(text).unwrap();
            assert_eq!(params.get("a"), None);
            assert!(params.has("a") && params.has_repeated(), "{text}");
        }
    }

    /// RFC 8707 §2.
    #[test]
    fn what_names_apis_may_be_repeated() {
        let params = Params::parse("resource=b&audience=c&resource=a&audience=c").unwrap();

        assert!(!params.has_repeated());
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(params.all("audience").collect::<Vec<_>>(), ["c", "c"]);
        assert_eq!(params.all("x").count(), 0);
    }

    #[test]
    fn refuses_broken_encodings() {
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "%80=1", "a=%+1"] {
            assert_eq!(Params::parse(bad), Err(MalformedParams::Encoding), "{bad}");
        }
    }

    #[test]
    fn takes_a_hundred_parameters_and_not_one_more() {
        let many = |n: usize| (0..n).map(|i| format!("p{i}=1&")).collect::<String>();
        assert!(Params::parse(&many(100)).is_ok());
        assert_eq!(Params::parse(&many(101)), Err(MalformedParams::TooMany));
    }

    #[test]
    fn debug_output_shows_names_only() {
        let shown = format!("{:?}", Params::parse("code=s3cret").unwrap());
        assert!(shown.contains("code") && !shown.contains("s3cret"));
    }
}
