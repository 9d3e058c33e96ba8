use super::*;

#[test]
fn text_from_outside_becomes_one_printable_line() {
    assert_eq!(one_line("a\r\n\u{1b}[31mred\0 b"), "a [31mred b");
    assert_eq!(one_line(&"x".repeat(5000)).chars().count(), 301);
}
