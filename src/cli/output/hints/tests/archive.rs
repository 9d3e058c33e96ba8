use std::path::{Path, PathBuf};

use super::*;

#[test]
fn a_component_is_refused_with_the_name_of_its_tool() {
    let error = crate::archive::verify(b"\0asm\x0d\0\x01\0".as_slice(), &Default::default());
    let hint = archive_hint(&error.unwrap_err()).unwrap();
    assert!(hint.contains("wkg oci"), "{hint}");
}

#[test]
fn an_error_in_an_archive_keeps_its_hint() {
    let changed = Error::InputChanged(PathBuf::from("provider"));
    let hint = archive_hint(&changed);
    assert!(hint.is_some());
    let changed = changed.in_archive(Path::new("x.par"));
    assert_eq!(archive_hint(&changed), hint);
}
