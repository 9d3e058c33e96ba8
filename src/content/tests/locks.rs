use super::*;

#[test]
fn a_locked_file_is_busy_for_others_and_free_after_it_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let file = File::create(&path).unwrap();
    assert_eq!(Locking::exclusive(&file, &path).unwrap(), Locking::Locked);
    let other = File::open(&path).unwrap();
    assert_eq!(Locking::shared(&other, &path).unwrap(), Locking::Busy);
    drop(file);
    assert_eq!(Locking::shared(&other, &path).unwrap(), Locking::Locked);
}

#[cfg(unix)]
#[test]
fn file_systems_without_locks_are_told_from_failures() {
    use rustix::io::Errno;
    let path = Path::new("file");
    let of = |code: Errno| {
        let error = io::Error::from_raw_os_error(code.raw_os_error());
        Locking::of(Err(TryLockError::Error(error)), path)
    };
    for code in [
        Errno::NOSYS,
        Errno::NOLCK,
        Errno::OPNOTSUPP,
        Errno::BADF,
        Errno::INVAL,
    ] {
        assert_eq!(of(code).unwrap(), Locking::Unsupported, "{code}");
    }
    for code in [Errno::IO, Errno::ACCESS, Errno::STALE] {
        assert!(of(code).is_err(), "{code}");
    }
}
