//! What was checked in one login, rule by rule: the raw material of the login trace.

use serde::{Deserialize, Serialize};

use crate::error::Rejection;

/// How one check ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Failed,
    /// The rule did not apply to this answer.
    Skipped,
}

/// One rule and what it compared. Never holds a value that identifies the user, nor a secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Check {
    /// Stable: the rule's name where it passed, the rejection's code where it failed.
    pub code: String,
    pub outcome: Outcome,
    pub expected: Option<String>,
    pub received: Option<String>,
    /// What the IT admin can do, in one or two sentences.
    pub fix: Option<String>,
}

/// The checks of one login in the order in which they were made.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Checks(Vec<Check>);

impl Checks {
    pub fn passed(
        &mut self,
        code: &'static str,
        expected: Option<String>,
        received: Option<String>,
    ) {
        self.push(code, Outcome::Passed, expected, received);
    }

    /// `why` says in our own words why the rule did not apply.
    pub fn skipped(&mut self, code: &'static str, why: &str) {
        self.push(code, Outcome::Skipped, None, Some(why.to_owned()));
    }

    pub fn failed(&mut self, rejection: &Rejection) {
        self.0.push(Check {
            code: rejection.code().to_owned(),
            outcome: Outcome::Failed,
            expected: rejection.expected(),
            received: rejection.received(),
            fix: rejection.fix(),
        });
    }

    pub fn as_slice(&self) -> &[Check] {
        &self.0
    }

    pub fn into_vec(self) -> Vec<Check> {
        self.0
    }

    fn push(
        &mut self,
        code: &str,
        outcome: Outcome,
        expected: Option<String>,
        received: Option<String>,
    ) {
        self.0.push(Check { code: code.to_owned(), outcome, expected, received, fix: None });
    }
}
