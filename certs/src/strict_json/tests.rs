use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Value, StrictJsonError> {
    strict_json(text.as_bytes())
}

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn reads_every_kind_of_value() {
    let text =
        r#" {"a": [1, -2, 1.5, 18446744073709551615, true, null, "é\u00e9"], "b": {"a": {}}} "#;

    let expected = json!({"a": [1, -2, 1.5, 18_446_744_073_709_551_615_u64, true, null, "éé"], "b": {"a": {}}});
    assert_eq!(read(text), Ok(expected));
}

#[test]
fn refuses_a_member_that_is_there_twice_at_any_depth() {
    for text in [
        r#"{"a": 1, "a": 1}"#,
        r#"{"sub": "x", "b": 2, "\u0073ub": "y"}"#,
        r#"{"a": {"b": 1, "b": 2}}"#,
        r#"[[{"a": 1}, {"a": 1, "a": null}]]"#,
    ] {
        assert_eq!(read(text), Err(StrictJsonError::DuplicateMember), "{text}");
    }
}

#[test]
fn refuses_more_than_16_levels() {
    assert!(read(&nested(16)).is_ok());
    assert_eq!(read(&nested(17)), Err(StrictJsonError::TooDeep));
    assert_eq!(read(&nested(100_000)), Err(StrictJsonError::TooDeep));
    assert_eq!(read(&r#"{"a":"#.repeat(17)), Err(StrictJsonError::TooDeep));
}

#[test]
fn refuses_what_is_not_utf8() {
    for bytes in [&b"\"\xff\""[..], b"\"\xc0\xaf\"", b"{\"\xed\xa0\x80\": 1}", b"\xff\xfe{\0}\0"] {
        assert_eq!(strict_json(bytes), Err(StrictJsonError::NotUtf8));
    }
}

#[test]
fn refuses_what_is_not_one_json_text() {
    for text in [
        "",
        " ",
        "{",
        "{} {}",
        "{},",
        "nul",
        "{a: 1}",
        "{'a': 1}",
        "[1,]",
        "{\"a\": 1,}",
        "01",
        "NaN",
        "1e999",
        "-Infinity",
        "\"\\ud800\"",
        "\"a\nb\"",
        "\u{feff}{}",
        "{} // comment",
    ] {
        assert_eq!(read(text), Err(StrictJsonError::NotJson), "{text:?}");
    }
}
