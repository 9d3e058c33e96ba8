use super::*;

#[test]
fn a_line_is_returned_without_its_line_end() {
    let line = |text: &'static str| read_line(text.as_bytes()).unwrap();
    assert_eq!(line(" s3 cret \r\nmore").as_deref(), Some(" s3 cret "));
    assert_eq!(line("\n").as_deref(), Some(""));
    assert_eq!(line(""), None);
}

#[test]
fn a_line_that_is_too_long_is_not_cut() {
    let longest = "x".repeat(LONGEST as usize - 1);
    assert!(read_line(format!("{longest}\n").as_bytes()).is_ok());
    let error = read_line(format!("{longest}xy\n").as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the line has more than 65536 bytes");
}
