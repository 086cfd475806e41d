//! Characters that a reader does not see: they make two identities look like one.

/// True where `text` holds a character that does not show: control characters, zero-width and formatting ones,
/// bidirectional marks, soft hyphen, variation selectors and tags, every space but the plain one, and a plain
/// space at either end.
///
/// Such a value is refused where it identifies somebody: subject, e-mail, issuer, audience.
pub fn has_invisible(text: &str) -> bool {
    text.starts_with(' ') || text.ends_with(' ') || text.chars().any(is_invisible)
}

/// What is left to see: without white space at the ends, and without invisible characters, line breaks apart.
pub(crate) fn visible(text: &str) -> String {
    text.trim().chars().filter(|c| !is_invisible(*c) || matches!(c, '\t' | '\n' | '\r')).collect()
}

/// By the Unicode categories Cc, Cf, Zs, Zl, Zp and the property Default_Ignorable_Code_Point.
fn is_invisible(c: char) -> bool {
    if c.is_control() || (c.is_whitespace() && c != ' ') {
        return true;
    }
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_in_any_script_are_visible() {
        for text in
            ["alice@acme.example", "Zoë O'Neil", "ユーザー", "CN=Alice, O=Acme", "مستخدم", "😀", ""]
        {
            assert!(!has_invisible(text), "{text}");
        }
    }

    #[test]
    fn characters_that_do_not_show_are_found_anywhere() {
        for c in [
            '\0',
            '\t',
            '\n',
            '\r',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{61c}',
            '\u{2003}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            for text in [format!("{c}alice"), format!("al{c}ice"), format!("alice{c}")] {
                assert!(has_invisible(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn a_space_at_either_end_does_not_show() {
        assert!(has_invisible(" alice"));
        assert!(has_invisible("alice "));
    }
}
