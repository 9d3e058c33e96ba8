use std::fs::{self, OpenOptions};

use super::*;

#[test]
fn changing_a_file_breaks_its_seal() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let look = || look(&path, 0o444).unwrap();
    assert_eq!(look(), Look::Absent);
    fs::write(&path, "content").unwrap();
    assert_eq!(look(), Look::Broken);

    // The file is opened before it is sealed, because afterwards only root may open it for writing.
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    seal(&file, 0o444).unwrap();
    assert_eq!(look(), Look::Sealed);
    set_mode(&file, 0o644).unwrap();
    assert_eq!(look(), Look::Broken);
    set_mode(&file, 0o444).unwrap();
    assert_eq!(look(), Look::Sealed);

    file.set_len(3).unwrap();
    assert_eq!(look(), Look::Broken);
    // A new size breaks the seal even when the modification time is restored.
    file.set_modified(time(7)).unwrap();
    assert_eq!(look(), Look::Broken);

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(look(), Look::Foreign);
}
