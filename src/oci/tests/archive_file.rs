use std::fs;
use std::path::PathBuf;

use super::{ArchiveFile, write_archive_file};

#[test]
fn the_file_and_the_name_are_told_apart() {
    for (text, path, name) in [
        ("image.tar", "image.tar", None),
        ("image.tar:1.0", "image.tar", Some("1.0")),
        (
            "/a b/image.tar:ghcr.io/org/provider:1.0",
            "/a b/image.tar",
            Some("ghcr.io/org/provider:1.0"),
        ),
        ("a:b/image.tar", "a:b/image.tar", None),
        ("image", "image", None),
        ("image:1", "image", Some("1")),
    ] {
        let parsed = ArchiveFile::parse(&format!("oci-archive://{text}"));
        let expected = ArchiveFile {
            path: PathBuf::from(path),
            name: name.map(str::to_owned),
        };
        assert_eq!(parsed, Some(Ok(expected)), "{text}");
    }
    for text in ["", ":1", "image.tar:", "image.tar:-", "image.tar:a b"] {
        let parsed = ArchiveFile::parse(&format!("oci-archive://{text}"));
        assert!(parsed.unwrap().is_err(), "{text}");
    }
    assert_eq!(ArchiveFile::parse("oci-layout://image.tar"), None);
}

#[test]
fn equal_layouts_give_equal_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let layout = folder.path().join(name);
        fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
        fs::write(layout.join("oci-layout"), "{}").unwrap();
        fs::write(layout.join("blobs/sha256").join("a".repeat(64)), "blob").unwrap();
        let file = folder.path().join(format!("{name}.tar"));
        write_archive_file(&layout, &file).unwrap();
        fs::read(file).unwrap()
    };
    let bytes = write("one");
    assert_eq!(bytes, write("two"));
    let mut tar = tar::Archive::new(&*bytes);
    let paths = tar.entries().unwrap();
    let paths = paths.map(|entry| entry.unwrap().path().unwrap().display().to_string());
    let blob = format!("blobs/sha256/{}", "a".repeat(64));
    let expected = ["blobs", "blobs/sha256", &blob, "oci-layout"];
    assert_eq!(paths.collect::<Vec<_>>(), expected);
}

#[test]
fn nothing_is_left_behind_when_the_layout_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    assert!(write_archive_file(&folder.path().join("missing"), &file).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
