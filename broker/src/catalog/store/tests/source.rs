//! The SQL in the catalog's source.

use std::fs;
use std::path::Path;

/// Statements that look something up, change or delete it; and those that are parts of one, within `concat!`.
pub(super) fn statements() -> (Vec<String>, Vec<String>) {
    let (mut whole, mut pieces) = (Vec::new(), Vec::new());
    for text in texts() {
        for verb in ["SELECT ", "UPDATE ", "DELETE ", "WITH "] {
            for (at, _) in text.match_indices(&format!("\"{verb}")) {
                let statement = literal(&text[at + 1..]);
                let parts = if statement.ends_with(' ') { &mut pieces } else { &mut whole };
                parts.push(statement);
            }
        }
    }
    (whole, pieces)
}

/// How often something stands there.
pub(super) fn count(what: &str) -> usize {
    texts().iter().map(|text| text.matches(what).count()).sum()
}

/// A literal's value from after its first quote; a backslash at a line's end joins it with the next one.
fn literal(rest: &str) -> String {
    let mut value = String::new();
    let mut characters = rest.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' if characters.next_if_eq(&'\n').is_some() => {
                while characters.next_if(|c| c.is_whitespace()).is_some() {}
            }
            _ => value.push(c),
        }
    }
    value
}

fn texts() -> Vec<String> {
    let mut texts = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog"), &mut texts);
    texts
}

/// Without the tests.
fn read(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().unwrap() != "tests" {
            read(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            texts.push(text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned());
        }
    }
}
