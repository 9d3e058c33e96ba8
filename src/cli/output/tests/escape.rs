use super::*;

#[test]
fn escape_sequences_and_reordering_marks_become_visible() {
    assert_eq!(line("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\\r\\n");
    assert_eq!(line("\u{202e}gnp.exe"), "\\u{202e}gnp.exe");
    assert_eq!(line("\u{9b}2J"), "\\u{9b}2J");
}

#[test]
fn ordinary_text_stays_as_it_is() {
    assert_eq!(line("Schlüsselwert 鍵 \\ 'x'"), "Schlüsselwert 鍵 \\ 'x'");
    assert_eq!(lines("a\n\tb\u{7}"), "a\n\tb\\u{7}");
}

#[test]
fn escaped_json_means_the_same() {
    let value = serde_json::json!({ "name": "a\u{1b}\u{9b}\u{7f}\u{202e}ü" });
    let text = json(&value.to_string());
    assert!(!text.contains(is_dangerous));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        value
    );
}
