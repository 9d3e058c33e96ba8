use super::*;

fn parts(option: &str) -> (Option<String>, String) {
    let (target, path) = split(OsStr::new(option));
    (
        target.map(|target| target.to_string()),
        path.display().to_string(),
    )
}

#[test]
fn a_target_is_recognized_by_its_form() {
    let with_target = (Some("aarch64-linux".to_owned()), "build/a=b".to_owned());
    assert_eq!(parts("aarch64-linux=build/a=b"), with_target);
    let with_platform = (Some("aarch64-linux".to_owned()), "x".to_owned());
    assert_eq!(parts("linux/arm64=x"), with_platform);
    for path in [
        "provider",
        "./a-b=c",
        "dir/a-b=c",
        "x=y",
        "=y",
        "linux/provider=x",
    ] {
        assert_eq!(parts(path), (None, path.to_owned()));
    }
}

#[test]
fn empty_files_and_components_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider");
    for content in [&b""[..], b"\0asm\x0d\0\x01\0"] {
        std::fs::write(&path, content).unwrap();
        let error = check(&path, path.as_os_str()).unwrap_err();
        assert!(error.is::<Failure>(), "{error}");
    }
    std::fs::write(&path, "ELF").unwrap();
    check(&path, path.as_os_str()).unwrap();
}
