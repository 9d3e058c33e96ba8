use super::*;

#[test]
fn a_line_is_returned_without_its_line_end() {
    let line = |text: &'static str| read_line(text.as_bytes()).unwrap();
    assert_eq!(line(" s3 cret \r\nmore").as_deref(), Some(" s3 cret "));
    assert_eq!(line("\n").as_deref(), Some(""));
    assert_eq!(line(""), None);
}
