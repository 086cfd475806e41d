//! `[session]`: how long a browser stays signed in.

use chrono::TimeDelta;

use super::reader::Reader;

/// Lifetimes of a browser's single sign-on session.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// From one sign-in to an app to the next.
    pub idle: TimeDelta,
    /// From the sign-in at the IdP.
    pub absolute: TimeDelta,
}

const IDLE: &str = "session.idle_minutes";
const ABSOLUTE: &str = "session.absolute_minutes";
/// 90 days.
const LONGEST: u32 = 129_600;

impl Session {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let idle = reader.number(IDLE, 480, 1..=LONGEST);
        let absolute = reader.number(ABSOLUTE, 1440.max(idle), 1..=LONGEST);
        if absolute < idle {
            let message = format!("is {absolute}, less than {IDLE}, which is {idle}");
            reader.problem(ABSOLUTE, message, "write the same number or a larger one");
        }
        Self {
            idle: TimeDelta::minutes(idle.into()),
            absolute: TimeDelta::minutes(absolute.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn read(toml: &str) -> Result<(i64, i64), String> {
        let config = Config::from_toml(toml, []).map_err(|problems| problems.to_string())?;
        Ok((config.session.idle.num_minutes(), config.session.absolute.num_minutes()))
    }

    #[test]
    fn a_session_lasts_a_working_day_unless_told() {
        assert_eq!(read(""), Ok((480, 1440)));
        assert_eq!(read("[session]\nidle_minutes = 30\nabsolute_minutes = 30"), Ok((30, 30)));
        assert_eq!(read("[session]\nidle_minutes = 2880"), Ok((2880, 2880)));
    }

    #[test]
    fn refuses_a_session_that_ends_before_it_is_idle() {
        let short = read("[session]\nidle_minutes = 31\nabsolute_minutes = 30").unwrap_err();
        assert!(short.contains("session.absolute_minutes: is 30, less than"), "{short}");
        for bad in ["idle_minutes = 0", "absolute_minutes = 129601", "idle_minutes = \"day\""] {
            assert!(read(&format!("[session]\n{bad}")).is_err(), "{bad}");
        }
    }
}
