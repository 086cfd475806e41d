//! What happened during a load.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::attempt::Attempt;

/// What a fault may do to users beyond a 503.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Allowed {
    /// Nothing else.
    Nothing,
    /// Requests end without an answer: their broker was killed.
    NoAnswer,
    /// What was under way is unknown afterwards: the store was emptied.
    Forgotten,
}

/// Shared by all who work.
#[derive(Debug)]
pub struct Ledger {
    allowed: Allowed,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    logins: BTreeMap<&'static str, usize>,
    /// What users saw, and how often.
    shown: BTreeMap<String, usize>,
    /// What must not be.
    wrong: Vec<String>,
    attempts: Vec<Arc<Attempt>>,
    written: Vec<String>,
    again: usize,
    /// Refresh families at the end.
    families: BTreeMap<&'static str, usize>,
}

impl Ledger {
    pub(super) fn new(allowed: Allowed) -> Self {
        Self { allowed, book: Mutex::default() }
    }

    pub(super) fn allows(&self, what: Allowed) -> bool {
        self.allowed == what
    }

    pub(super) fn succeeded(&self, connection: &'static str) {
        *self.book.lock().unwrap().logins.entry(connection).or_default() += 1;
    }

    pub(super) fn shown(&self, what: &str) {
        *self.book.lock().unwrap().shown.entry(what.to_owned()).or_default() += 1;
    }

    pub(super) fn found_wrong(&self, what: String) {
        self.book.lock().unwrap().wrong.push(what);
    }

    pub(super) fn keep(&self, attempt: &Arc<Attempt>) {
        self.book.lock().unwrap().attempts.push(Arc::clone(attempt));
    }

    pub(super) fn wrote(&self, name: String) {
        self.book.lock().unwrap().written.push(name);
    }

    pub(super) fn presented_again(&self) {
        self.book.lock().unwrap().again += 1;
    }

    /// A refusal that is right only where the store was emptied.
    pub(super) fn forgot(&self, what: &str, wrong: &str) {
        if self.allows(Allowed::Forgotten) {
            self.shown(&format!("invalid_grant: {what} is not known any more"));
        } else {
            self.found_wrong(wrong.to_owned());
        }
    }

    /// One whose used token has come again, by what was known of it.
    pub(super) fn family(&self, known: &'static str) {
        *self.book.lock().unwrap().families.entry(known).or_default() += 1;
    }

    pub(super) fn logins(&self) -> usize {
        self.book.lock().unwrap().logins.values().sum()
    }

    pub(super) fn written(&self) -> Vec<String> {
        self.book.lock().unwrap().written.clone()
    }

    /// At most twenty of them.
    pub(super) fn wrong(&self) -> Vec<String> {
        self.book.lock().unwrap().wrong.iter().take(20).cloned().collect()
    }

    pub(super) fn attempts(&self) -> Vec<Arc<Attempt>> {
        self.book.lock().unwrap().attempts.clone()
    }

    pub(super) fn latest(&self, most: usize) -> Vec<Arc<Attempt>> {
        self.book.lock().unwrap().attempts.iter().rev().take(most).cloned().collect()
    }

    /// Prints what was asserted; a row of it goes to the file that `HOMEREALM_TEST_RESULTS` names.
    pub(super) fn report(&self, what: &str, recovered: Duration, (latest, nodes): (usize, usize)) {
        let book = self.book.lock().unwrap();
        let shown = list(book.shown.iter().map(|(what, count)| (what.as_str(), *count)));
        let families = list(book.families.iter().map(|(known, count)| (*known, *count)));
        let (logins, written) = (book.logins.values().sum::<usize>(), book.written.len());
        println!(
            "{what}: a whole login succeeds again {recovered:.1?} after the fault was over. {logins} logins ({:?}); users saw: \
             {shown}. Asserted: no code and no IdP's answer counted twice ({} presented again at once, the last {latest} again \
             at each of {nodes} nodes); no refresh token had two successors, used ones were refused with all that came of them \
             (families: {families}); {written} acknowledged writes all there; nothing but the above was shown.",
            book.logins, book.again,
        );
        if let Some(path) = std::env::var_os("HOMEREALM_TEST_RESULTS") {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            let row = format!(
                "| {what} | {logins} | {} | {families} | {written} | {shown} | {recovered:.1?} |",
                book.again
            );
            writeln!(file.unwrap(), "{row}").unwrap();
        }
    }
}

fn list<'a>(counts: impl Iterator<Item = (&'a str, usize)>) -> String {
    let each: Vec<String> = counts.map(|(what, count)| format!("{count} × {what}")).collect();
    if each.is_empty() { "nothing".to_owned() } else { each.join(", ") }
}
