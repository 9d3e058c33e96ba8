use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_is_created_replaced_and_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    replace(&path, b"first").unwrap();
    assert_eq!(
        (fs::read(&path).unwrap(), mode(&path)),
        (b"first".to_vec(), 0o600)
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    for text in ["a longer text", "short", ""] {
        overwrite(&path, text.as_bytes()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), text.as_bytes());
    }
    assert_eq!(mode(&path), 0o640, "the permission bits stay");
}

#[test]
fn a_link_stays_and_its_target_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let (link, target) = (
        directory.path().join("link"),
        directory.path().join("target"),
    );
    std::os::unix::fs::symlink("target", &link).unwrap();
    check_replaceable(&link).unwrap();
    replace(&link, b"text").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(target).unwrap(), b"text");
}

#[test]
fn a_check_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["config.json", "new/deeper/config.json"] {
        check_replaceable(&directory.path().join(name)).unwrap();
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    assert!(check_replaceable(directory.path()).is_err());
    assert!(check_replaceable(Path::new("/dev/null")).is_err());
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(check_replaceable(&file.join("config.json")).is_err());
}
