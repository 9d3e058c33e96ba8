//! The paths that executables name.

use super::*;

#[test]
fn the_origin_is_the_directory_of_the_executable() {
    let origin = Some(Path::new("/opt/provider"));
    let lib = || Some(PathBuf::from("/opt/provider/../lib"));
    assert_eq!(expanded("$ORIGIN/../lib", origin), lib());
    assert_eq!(expanded("${ORIGIN}/../lib", origin), lib());
    assert_eq!(expanded("/usr/lib", None), Some("/usr/lib".into()));
    // These paths depend on the linker or on the current directory.
    for unknown in ["$ORIGIN/$LIB", "$PLATFORM", "lib", "/usr/$LIB"] {
        assert_eq!(expanded(unknown, origin), None, "{unknown}");
    }
}
