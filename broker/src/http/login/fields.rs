//! Fields of a query or form, each at most once.

/// Names and values in the order in which they were sent.
pub(super) type Pairs = Vec<(String, String)>;

/// Takes one field's value.
///
/// # Errors
/// The field's name where it was sent more than once: which one was meant cannot be told (RFC 6749 §3.1).
pub(super) fn take(pairs: &mut Pairs, name: &'static str) -> Result<Option<String>, &'static str> {
    let mut value = None;
    for (_, sent) in pairs.extract_if(.., |(n, _)| n == name) {
        if value.replace(sent).is_some() {
            return Err(name);
        }
    }
    Ok(value)
}

/// The handle of a login in a query; empty, which none has, where it is missing or was sent twice.
pub(super) fn transaction(mut query: Pairs) -> String {
    take(&mut query, "transaction").ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_was_sent_twice_is_refused() {
        let pairs = |all: &[(&str, &str)]| -> Pairs {
            all.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
        };

        assert_eq!(take(&mut pairs(&[("a", "1"), ("b", "2")]), "a"), Ok(Some("1".to_owned())));
        assert_eq!(take(&mut pairs(&[("b", "2")]), "a"), Ok(None));
        assert_eq!(take(&mut pairs(&[("a", "1"), ("a", "1")]), "a"), Err("a"));
    }
}
