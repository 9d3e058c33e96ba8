use super::*;

const LINE: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///w/a#0.1.0","target":{"kind":["bin"],"name":"a"},"executable":"/t/x86_64-unknown-linux-musl/release/a","fresh":true}"#;

#[test]
fn only_the_wanted_binary_of_the_wanted_package_is_found() {
    let package = "path+file:///w/a#0.1.0";
    let path = executable(LINE.as_bytes(), package, "a").unwrap();
    assert_eq!(path, Path::new("/t/x86_64-unknown-linux-musl/release/a"));
    assert_eq!(executable(LINE.as_bytes(), package, "b"), None);
    assert_eq!(executable(LINE.as_bytes(), "another", "a"), None);
    for line in [
        "   Compiling a",
        "",
        "{",
        r#"{"reason":"build-finished","success":true}"#,
        &LINE.replace(r#"["bin"]"#, r#"["example"]"#),
        &LINE.replace("compiler-artifact", "other"),
    ] {
        assert_eq!(executable(line.as_bytes(), package, "a"), None, "{line}");
    }
}

#[test]
fn the_triple_is_read_from_the_path() {
    let directory = Path::new("/t");
    let built = |path: &str| triple(Path::new(path), directory);
    assert_eq!(built("/t/release/a"), None);
    assert_eq!(
        built("/t/aarch64-unknown-linux-musl/debug/a").as_deref(),
        Some("aarch64-unknown-linux-musl")
    );
    assert_eq!(built("/elsewhere/x/release/a"), None);
}
