use super::*;

fn named(text: &str) -> GivenKey<'_> {
    GivenKey {
        text,
        variable: None,
    }
}

fn directories() -> (tempfile::TempDir, KeyDirectories) {
    let directory = tempfile::tempdir().unwrap();
    let directories = KeyDirectories {
        directories: vec![
            directory.path().join("first"),
            directory.path().join("second"),
        ],
        is_named: false,
    };
    (directory, directories)
}

#[test]
fn a_new_key_is_found_again_and_is_private() {
    let (_directory, directories) = directories();
    let (key, origin) = directories
        .resolve(None, "dev_account.nk", KeyKind::Account, true)
        .unwrap();
    let KeyOrigin::Generated(path) = origin else {
        panic!("{origin:?}");
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }
    let (again, origin) = directories
        .resolve(None, "dev_account.nk", KeyKind::Account, false)
        .unwrap();
    assert_eq!(again.public_key(), key.public_key());
    assert_eq!(origin, KeyOrigin::File(path));
    assert!(
        directories
            .find(&key.public_key(), KeyKind::Account)
            .is_ok()
    );
}

#[test]
fn later_directories_are_searched_and_line_ends_do_not_matter() {
    let (directory, directories) = directories();
    let key = Key::generate(KeyKind::Service);
    fs::create_dir(directory.path().join("second")).unwrap();
    fs::write(
        directory.path().join("second/app_service.nk"),
        format!("{}\n", key.seed().unwrap()),
    )
    .unwrap();
    let (found, _) = directories
        .resolve(None, "app_service.nk", KeyKind::Service, false)
        .unwrap();
    assert_eq!(found.public_key(), key.public_key());
}

#[test]
fn threads_that_need_a_new_key_get_the_same_key() {
    let (_directory, directories) = directories();
    let resolve = || {
        let (key, _) = directories
            .resolve(None, "dev_account.nk", KeyKind::Account, true)
            .unwrap();
        key.public_key()
    };
    let keys: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(resolve)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[cfg(unix)]
#[test]
fn a_key_that_cannot_be_read_is_not_replaced_by_a_new_one() {
    let (directory, directories) = directories();
    let key = Key::generate(KeyKind::Account);
    directories.create("dev_account.nk", &key).unwrap();
    fs::create_dir(directory.path().join("second")).unwrap();
    let away = directory.path().join("second/app_service.nk");
    std::os::unix::fs::symlink("unplugged", away).unwrap();
    let error = directories
        .resolve(None, "app_service.nk", KeyKind::Service, true)
        .unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error:?}");
    assert!(!directory.path().join("first/app_service.nk").exists());

    // A key in an earlier directory is found although a later one cannot be read.
    let unreadable = KeyDirectories {
        directories: vec![
            directory.path().join("first"),
            directory.path().join("first/dev_account.nk"),
        ],
        is_named: false,
    };
    let account = KeyKind::Account;
    assert!(unreadable.find(&key.public_key(), account).is_ok());
    let other = Key::generate(account).public_key();
    let error = unreadable.find(&other, account).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error:?}");
}

#[test]
fn a_key_is_given_as_a_seed_or_as_a_path() {
    let (directory, directories) = directories();
    let key = Key::generate(KeyKind::Account);
    let seed = key.seed().unwrap();
    let path = directory.path().join("my.nk");
    fs::write(&path, &seed).unwrap();
    for given in [seed.as_str(), path.to_str().unwrap()] {
        let (found, _) = directories
            .resolve(Some(named(given)), "unused", KeyKind::Account, false)
            .unwrap();
        assert_eq!(found.public_key(), key.public_key());
    }
}

#[test]
fn an_existing_key_is_never_replaced() {
    let (_directory, directories) = directories();
    let key = Key::generate(KeyKind::Account);
    directories.create("dev_account.nk", &key).unwrap();
    let error = directories.create("dev_account.nk", &Key::generate(KeyKind::Account));
    assert!(matches!(error, Err(Error::Write { .. })), "{error:?}");
    assert!(
        directories
            .find(&key.public_key(), KeyKind::Account)
            .is_ok()
    );
}

#[test]
fn a_seed_is_never_part_of_an_error() {
    let (_directory, directories) = directories();
    let mut seed = Key::generate(KeyKind::Account).seed().unwrap();
    let wrong_type = directories
        .resolve(Some(named(&seed)), "unused", KeyKind::Service, false)
        .unwrap_err();
    assert!(matches!(wrong_type, Error::WrongSeedType { .. }));
    assert!(!format!("{wrong_type:?} {wrong_type}").contains(&seed));
    seed.replace_range(20..24, "AAAA");
    let malformed = directories
        .resolve(Some(named(&seed)), "unused", KeyKind::Account, false)
        .unwrap_err();
    assert!(!format!("{malformed:?} {malformed}").contains(&seed[..20]));
}
