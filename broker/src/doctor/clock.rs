//! Whether our clock is right: the identity providers tell theirs in every answer.

use chrono::TimeDelta;

use super::{Finding, Level};

/// Assertions are judged with 60 s of skew by default; half of that is the time to act.
const WARNING: TimeDelta = TimeDelta::seconds(10);
const WRONG: TimeDelta = TimeDelta::seconds(30);

/// The median of the differences (theirs less ours): one provider with a wrong clock does not matter.
pub(super) fn judge(mut differences: Vec<TimeDelta>) -> Option<Finding> {
    differences.sort();
    let median = *differences.get(differences.len() / 2)?;
    let level = match median.abs() {
        far if far >= WRONG => Level::Wrong,
        some if some >= WARNING => Level::Warning,
        _ => return None,
    };
    let word = if median > TimeDelta::zero() { "behind" } else { "ahead of" };
    Some(Finding::new(
        level,
        "clock",
        None,
        format!(
            "this machine's clock is {} s {word} the clocks of {} identity providers",
            median.abs().num_seconds(),
            differences.len()
        ),
        "let a time service set the clock (chrony, systemd-timesyncd)",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(seconds: &[i64]) -> Option<Level> {
        judge(seconds.iter().map(|s| TimeDelta::seconds(*s)).collect()).map(|f| f.level)
    }

    #[test]
    fn the_median_decides_at_ten_and_thirty_seconds() {
        assert_eq!(level(&[]), None);
        assert_eq!(level(&[9, 9, 9000]), None);
        assert_eq!(level(&[10]), Some(Level::Warning));
        assert_eq!(level(&[-29]), Some(Level::Warning));
        assert_eq!(level(&[0, -30, -31]), Some(Level::Wrong));
    }
}
