use super::*;

#[test]
fn paths_and_references_are_distinguished_by_their_form() {
    for argument in ["./x", "/x/y", "../x", "x.par", "a/b.par.gz", "file://x"] {
        assert!(explicit_path(OsStr::new(argument)).is_some(), "{argument}");
    }
    for argument in [
        "ghcr.io/org/provider:1",
        "oci://x/y.par",
        "oci-layout://dir",
        "x",
    ] {
        assert!(explicit_path(OsStr::new(argument)).is_none(), "{argument}");
    }
}

#[test]
fn an_archive_is_named_without_its_extensions() {
    for (path, name) in [("a/b.par.gz", "b"), ("b.1.par", "b.1"), ("c.tar", "c")] {
        assert_eq!(stem(Path::new(path)), name);
    }
}
