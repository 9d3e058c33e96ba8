use super::*;

#[test]
fn the_hint_about_a_path_names_the_layout() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().to_str().unwrap();
    for (text, written) in [
        (
            directory.to_owned(),
            format!("write oci-layout://{directory}[:TAG]"),
        ),
        (
            format!("{directory}:1.0"),
            format!("write oci-layout://{directory}:1.0 "),
        ),
        ("out.tar".to_owned(), "oci-archive://out.tar[:TAG]".into()),
        ("out.tar:1".to_owned(), "oci-archive://out.tar:1 ".into()),
        ("./none".to_owned(), "oci-layout://./none[:TAG]".into()),
        ("/none:1".to_owned(), "oci-archive:///none:1 ".into()),
    ] {
        let hint = layout_hint(&text).unwrap();
        assert!(hint.contains(&written), "{text}: {hint}");
    }
    for other in ["org/provider:1", "ghcr.io", "./x.par.gz", "file:///x.tar"] {
        assert_eq!(layout_hint(other), None, "{other}");
    }
}

#[test]
fn a_reference_to_one_artifact_is_not_the_path_of_a_file() {
    for reference in ["ghcr.io/org/x:1", "oci-layout://layout", "oci://h:1/x:1"] {
        assert!(is_reference(Path::new(reference)), "{reference}");
    }
    for path in ["ghcr.io/org/x", "x.par.gz", "dir/file:1", "/a.b/c:1"] {
        assert!(!is_reference(Path::new(path)), "{path}");
    }
}
