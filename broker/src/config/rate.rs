//! `600/min`: so many in a window.

use std::fmt;
use std::str::FromStr;

/// At most `count` in `seconds`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// 1 or more.
    pub count: u32,
    /// Length of the window: 1, 60 or 3600.
    pub seconds: u32,
}

/// Not a rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("is not a rate")]
pub struct NotARate;

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let (count, unit) = text.split_once('/').ok_or(NotARate)?;
        let seconds = match unit {
            "s" => 1,
            "min" => 60,
            "h" => 3600,
            _ => return Err(NotARate),
        };
        // `u32::from_str` takes a leading `+`
        let digits = count.bytes().all(|b| b.is_ascii_digit());
        let count = count.parse().ok().filter(|n| digits && *n > 0).ok_or(NotARate)?;
        Ok(Self { count, seconds })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.seconds {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rates_and_nothing_else() {
        assert_eq!("600/min".parse(), Ok(Rate { count: 600, seconds: 60 }));
        assert_eq!("1/s".parse::<Rate>().unwrap().to_string(), "1/s");
        assert_eq!("7/h".parse::<Rate>().unwrap().to_string(), "7/h");
        for bad in [
            "",
            "600",
            "600/",
            "/min",
            "0/min",
            "-1/min",
            "+1/min",
            "1 /min",
            "1/day",
            "4294967296/s",
        ] {
            assert_eq!(bad.parse::<Rate>(), Err(NotARate), "{bad}");
        }
    }
}
