//! What is wrong with a configuration, in words that name the key and the fix.

use std::fmt;

/// One problem.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Dotted path such as `admin.token`.
    pub key: String,
    /// What is wrong. Never the value of a secret.
    pub message: String,
    /// What to do.
    pub fix: String,
    /// Where the value came from, if it has one: `environment variable HOMEREALM_ADMIN__TOKEN`.
    pub source: Option<String>,
}

/// All problems of one configuration; never empty.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub struct Problems(Vec<Problem>);

impl Problem {
    /// With no known source.
    pub fn new(key: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into(), fix: fix.into(), source: None }
    }
}

impl Problems {
    /// Just this one.
    pub fn one(problem: Problem) -> Self {
        Self(vec![problem])
    }

    /// `Ok` where there is none.
    pub(super) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.message, self.fix)?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

/// One line a problem.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}
