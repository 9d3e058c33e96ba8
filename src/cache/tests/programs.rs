use std::fs::File;

use super::*;

#[test]
fn the_name_of_a_process_begins_with_the_provider() {
    let cases = [
        ("HTTP Server", "HTTP-Server-x86_64-linux"),
        ("kv_redis", "kv_redis-x86_64-linux"),
        ("../../etc/passwd", "etc-passwd-x86_64-linux"),
        ("-rf", "rf-x86_64-linux"),
        (".hidden", "hidden-x86_64-linux"),
        ("a\\b:c\u{7}d", "a-b-c-d-x86_64-linux"),
        ("NUL.txt", "NUL-txt-x86_64-linux"),
        ("", "provider-x86_64-linux"),
        ("\u{202e}", "provider-x86_64-linux"),
        ("_", "provider-x86_64-linux"),
    ];
    for (name, expected) in cases {
        assert_eq!(program_name(Some(name), "x86_64-linux"), expected);
    }
    assert_eq!(program_name(None, "x"), "provider-x");
    let long = program_name(Some(&"n".repeat(5000)), &"t".repeat(5000));
    assert_eq!(long.len(), 2 * LONGEST + 1);
}

#[test]
fn a_readable_name_of_another_file_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::open(Some(directory.path())).unwrap();
    let digest = Digest::of(b"it");
    let path = cache
        .paths
        .content(super::super::paths::Kind::Executable, &digest);
    cache.paths.make_way(&path).unwrap();
    fs::write(&path, "it").unwrap();
    let held = || Held {
        path: path.clone(),
        file: File::open(&path).unwrap(),
    };
    let named = program(&cache, &digest, "name", &held());
    assert_eq!(named, cache.paths.programs(&digest).join("name"));
    assert_eq!(program(&cache, &digest, "name", &held()), named);
    fs::remove_file(&named).unwrap();
    fs::write(&named, "other").unwrap();
    assert_eq!(program(&cache, &digest, "name", &held()), named);
    assert_eq!(fs::read(&named).unwrap(), b"it");
    let other = program(&cache, &digest, "other", &held());
    assert_eq!(
        cache.program_paths(&digest).unwrap(),
        [named.clone(), other]
    );
    cache.remove_programs(&digest).unwrap();
    assert!(!cache.paths.programs(&digest).exists());

    // Something else in the place of the directory.
    fs::write(cache.paths.programs(&digest), "").unwrap();
    assert_eq!(program(&cache, &digest, "name", &held()), named);
    // A readable name that cannot be created.
    let long = "n".repeat(1000);
    assert_eq!(program(&cache, &digest, &long, &held()), path);
}
