//! Names of versions, and their order.

use super::*;

#[test]
fn only_versions_of_the_gnu_c_library_are_releases() {
    for (name, release) in [
        ("GLIBC_2.34", Some("2.34")),
        ("GLIBC_2.2.5", Some("2.2.5")),
        ("GLIBC_ABI_DT_RELR", Some("2.36")),
        ("GLIBC_PRIVATE", None),
        ("GLIBCXX_3.4.30", None),
        ("GCC_3.0", None),
        ("GLIBC_", None),
        ("GLIBC_99999999999.1", None),
    ] {
        assert_eq!(release_of(name.as_bytes()).as_deref(), release, "{name}");
    }
    assert_eq!(release_of(b"GLIBC_\xff"), None);
}

#[test]
fn releases_are_compared_as_numbers() {
    assert!(is_newer("2.34", "2.4"));
    assert!(is_newer("2.2.5", "2.2"));
    assert!(!is_newer("2.2", "2.2.5"));
    assert!(!is_newer("2.34", "2.34"));
    assert!(!is_newer("new", "2.34"));
    let newest = ["2.4", "2.34", "2.2.5"]
        .into_iter()
        .fold(None, |found, release| newest(found, release.to_owned()));
    assert_eq!(newest.as_deref(), Some("2.34"));
}
