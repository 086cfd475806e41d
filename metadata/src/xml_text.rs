//! Escaping, shared by every XML document that we write.

/// Text between tags (XML 1.0 §2.4). `>` is escaped because of `]]>`, a carriage return because
/// readers turn it into a line feed (§2.11). A character that XML does not know becomes U+FFFD.
#[must_use]
pub fn escape_text(text: &str) -> String {
    escape(text, |c| match c {
        '\r' => Some("&#13;"),
        _ => None,
    })
}

/// An attribute value, to stand between quotes of either kind. Tabs and line breaks are written as
/// references because readers turn them into spaces (XML 1.0 §3.3.3).
#[must_use]
pub fn escape_attribute(text: &str) -> String {
    escape(text, |c| match c {
        '"' => Some("&quot;"),
        '\'' => Some("&apos;"),
        '\t' => Some("&#9;"),
        '\n' => Some("&#10;"),
        '\r' => Some("&#13;"),
        _ => None,
    })
}

fn escape(text: &str, special: fn(char) -> Option<&'static str>) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match (c, special(c)) {
            (_, Some(reference)) => escaped.push_str(reference),
            ('&', None) => escaped.push_str("&amp;"),
            ('<', None) => escaped.push_str("&lt;"),
            ('>', None) => escaped.push_str("&gt;"),
            (
                '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}',
                None,
            ) => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            (c, None) => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_quotes_and_line_feeds() {
        assert_eq!(
            escape_text("a & b < c > \"d\" 'e'\n\t\r"),
            "a &amp; b &lt; c &gt; \"d\" 'e'\n\t&#13;"
        );
    }

    #[test]
    fn attributes_escape_both_quotes_and_white_space_but_spaces() {
        assert_eq!(escape_attribute("\"a' <&>\t\n\r"), "&quot;a&apos; &lt;&amp;&gt;&#9;&#10;&#13;");
    }

    #[test]
    fn characters_that_xml_does_not_know_are_replaced() {
        assert_eq!(escape_text("a\0b\u{1f}c\u{ffff}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
    }
}
