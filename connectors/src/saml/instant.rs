//! Times in SAML: `xs:dateTime` in UTC (SAML Core §1.3.3).

use chrono::{DateTime, NaiveDate, Utc};

use super::Rejection;

/// Reads `2030-01-31T12:00:00Z`, with any number of decimals of a second (Entra sends 3, .NET 7).
///
/// Stricter than `xs:dateTime`: the `Z` must be there (a time without a zone is somebody's local time, an
/// offset is not UTC form), the year has four digits, no `24:00:00`, no leap second, no white space.
/// Decimals beyond nanoseconds are cut off.
pub(super) fn parse_instant(field: &'static str, text: &str) -> Result<DateTime<Utc>, Rejection> {
    read(text).ok_or_else(|| Rejection::TimeUnreadable { field, received: text.to_owned() })
}

fn read(text: &str) -> Option<DateTime<Utc>> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (clock, fraction) = match time.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (time, None),
    };
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if year == 0 {
        return None;
    }
    let nanoseconds = fraction.map_or(Some(0), nanoseconds)?;
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(day.and_hms_nano_opt(hour, minute, second, nanoseconds)?.and_utc())
}

/// Three numbers of exactly these many digits, between separators.
fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u32; 3]> {
    let mut out = [0; 3];
    let mut parts = text.split(separator);
    for (number, digits) in out.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_in_utc() {
        for (text, nanoseconds) in [
            ("2030-01-31T12:34:56Z", 0),
            ("2030-01-31T12:34:56.1Z", 100_000_000),
            ("2030-01-31T12:34:56.123Z", 123_000_000),
            ("2030-01-31T12:34:56.1234567Z", 123_456_700),
            ("2030-01-31T12:34:56.12345678987654321Z", 123_456_789),
        ] {
            let read = parse_instant("IssueInstant", text).unwrap();

            assert_eq!(read.timestamp(), 1_896_093_296, "{text}");
            assert_eq!(read.timestamp_subsec_nanos(), nanoseconds, "{text}");
        }
    }

    #[test]
    fn refuses_everything_that_is_not_one_instant_in_utc() {
        for text in [
            "",
            "Z",
            "2030-01-31T12:34:56",
            "2030-01-31T12:34:56+00:00",
            "2030-01-31T12:34:56+02:00",
            "2030-01-31T12:34:56z",
            "2030-01-31t12:34:56Z",
            "2030-01-31 12:34:56Z",
            " 2030-01-31T12:34:56Z",
            "2030-01-31T12:34:56Z\n",
            "2030-01-31T12:34Z",
            "2030-01-31T12:34:56.Z",
            "2030-01-31T12:34:56,1Z",
            "2030-01-31T12:34:56.-1Z",
            "2030-01-31T12:34:+6Z",
            "2030-1-31T12:34:56Z",
            "2030-02-29T12:34:56Z",
            "2030-13-01T12:34:56Z",
            "2030-01-31T24:00:00Z",
            "2030-01-31T12:34:60Z",
            "0000-01-31T12:34:56Z",
            "-2030-01-31T12:34:56Z",
            "12030-01-31T12:34:56Z",
            "2030-01-31Z",
            "٢٠٣٠-01-31T12:34:56Z",
        ] {
            let refused = parse_instant("NotBefore", text);

            assert_eq!(
                refused,
                Err(Rejection::TimeUnreadable { field: "NotBefore", received: text.to_owned() })
            );
        }
    }
}
