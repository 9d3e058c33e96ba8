use super::*;

fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_file_appears_complete_on_commit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let mut file = AtomicFile::create(&path).unwrap();
    file.write_all(b"whole").unwrap();
    assert!(!path.exists());
    file.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"whole");
    assert_eq!(names(directory.path()), ["file"]);
}

#[test]
fn without_a_commit_the_old_file_stays_and_the_temporary_file_goes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "old").unwrap();
    let mut file = AtomicFile::create(&path).unwrap();
    file.write_all(b"half").unwrap();
    drop(file);
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(directory.path()), ["file"]);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_stays_and_its_target_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let link = directory.path().join("link");
    fs::write(&path, "old").unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut file = AtomicFile::create(&link).unwrap();
    file.write_all(b"new").unwrap();
    file.commit().unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read(&path).unwrap(), b"new");

    // A relative link, through another one, to a file that does not exist.
    for (name, target) in [("first", "second"), ("second", "made"), ("round", "round")] {
        std::os::unix::fs::symlink(target, directory.path().join(name)).unwrap();
    }
    let mut file = AtomicFile::create(&directory.path().join("first")).unwrap();
    file.write_all(b"new").unwrap();
    file.commit().unwrap();
    assert!(directory.path().join("first").is_symlink());
    assert_eq!(fs::read(directory.path().join("made")).unwrap(), b"new");
    assert!(AtomicFile::create(&directory.path().join("round")).is_err());
}

#[cfg(unix)]
#[test]
fn a_device_or_a_socket_is_not_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&socket, &link).unwrap();
    for path in [&socket, &link, Path::new("/dev/null")] {
        let error = AtomicFile::create(path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}");
    }
    assert!(AtomicFile::create(directory.path()).is_err());
    assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
}

#[test]
fn a_file_is_not_created_with_the_name_of_a_directory_or_below_a_file() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "old").unwrap();
    for (name, kind) in [
        ("missing/", io::ErrorKind::NotFound),
        ("file/", io::ErrorKind::NotADirectory),
        ("file/x", io::ErrorKind::NotADirectory),
    ] {
        let error = AtomicFile::create(&directory.path().join(name)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("directory"), "{error}");
    }
    assert_eq!(names(directory.path()), ["file"]);
}
