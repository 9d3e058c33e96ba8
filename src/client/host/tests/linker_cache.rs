//! The cache of the dynamic linker.

use super::*;

/// Returns a cache with these libraries, after an older part.
fn cache(libraries: &[(&str, &str)]) -> Vec<u8> {
    let strings = HEADER + libraries.len() * ENTRY;
    let (mut entries, mut texts) = (Vec::new(), Vec::new());
    for (name, path) in libraries {
        let mut place = |text: &str| {
            let at = (strings + texts.len()) as u32;
            texts.extend([text.as_bytes(), b"\0"].concat());
            at.to_ne_bytes()
        };
        let (name, path) = (place(name), place(path));
        entries.extend([&[3, 3, 0, 0][..], &name, &path, &[0; 12]].concat());
    }
    let count = (libraries.len() as u32).to_ne_bytes();
    let mut header = [MAGIC, &count].concat();
    header.resize(HEADER, 0);
    [b"ld.so-1.7.0\0older part".to_vec(), header, entries, texts].concat()
}

#[test]
fn the_libraries_are_found_by_their_names() {
    let bytes = cache(&[
        ("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"),
        ("libz.so.1", "/usr/lib/libz.so.1"),
        ("libc.so.6", "/lib32/libc.so.6"),
    ]);
    let cache = LinkerCache::parse(&bytes).unwrap();
    assert!(cache.complete);
    let found: Vec<_> = cache.paths("libc.so.6").collect();
    let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib32/libc.so.6"];
    assert_eq!(found, expected.map(PathBuf::from));
    assert_eq!(cache.paths("libc").count(), 0);
}

#[test]
fn a_damaged_cache_is_not_used() {
    let bytes = cache(&[("libc.so.6", "/lib/libc.so.6")]);
    for length in 0..bytes.len() {
        assert_eq!(LinkerCache::parse(&bytes[..length]), None, "{length}");
    }
    let mut wrong = bytes.clone();
    let count = wrong.len() - bytes.len() + b"ld.so-1.7.0\0older part".len() + MAGIC.len();
    wrong[count..count + 4].fill(0xff);
    assert_eq!(LinkerCache::parse(&wrong), None);
}
