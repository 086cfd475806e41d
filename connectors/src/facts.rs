//! What the login trace shows about one refusal.

pub(crate) struct Facts {
    pub(crate) code: &'static str,
    pub(crate) expected: Option<String>,
    pub(crate) received: Option<String>,
    pub(crate) fix: Option<String>,
}

pub(crate) fn fact(code: &'static str) -> Facts {
    Facts { code, expected: None, received: None, fix: None }
}

impl Facts {
    pub(crate) fn want(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn got(mut self, received: impl Into<String>) -> Self {
        self.received = Some(shown(&received.into()));
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// One line: the code, and what was compared.
impl std::fmt::Display for Facts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code)?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        self.received.as_ref().map_or(Ok(()), |received| write!(f, ", received {received}"))
    }
}

/// At most this many characters of an answer are repeated in a trace.
const SHOWN_CHARACTERS: usize = 300;

/// Makes text from outside fit to be shown: cut, and everything that does not print escaped.
fn shown(text: &str) -> String {
    let mut out: String =
        text.chars().take(SHOWN_CHARACTERS).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        out.push('…');
    }
    out
}
