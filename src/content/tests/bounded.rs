use super::*;

#[test]
fn content_is_read_up_to_the_limit_and_refused_beyond() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "content").unwrap();
    assert_eq!(read_bounded(&b"content"[..], 7).unwrap(), b"content");
    assert_eq!(read_file_bounded(&path, 7).unwrap(), b"content");

    let stream = read_bounded(&b"content"[..], 6).unwrap_err();
    let file = read_file_bounded(&path, 6).unwrap_err();
    assert!(is_too_large(&stream) && is_too_large(&file));
    assert_eq!(stream.to_string(), "more than 6 bytes, which is the limit");
    assert_eq!(file.to_string(), "7 bytes, more than the limit of 6 bytes");

    let directory = read_file_bounded(directory.path(), 6).unwrap_err();
    assert!(!is_too_large(&directory));
}
