use std::io::Cursor;

use tar::{Builder, EntryType, Header};

use super::*;

/// A tar with the entries that `add` appends.
fn tar(add: impl FnOnce(&mut Builder<Vec<u8>>)) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    add(&mut tar);
    tar.into_inner().unwrap()
}

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header
}

fn file(tar: &mut Builder<Vec<u8>>, name: &str, content: &str) {
    let mut header = header(EntryType::Regular, content.len() as u64);
    tar.append_data(&mut header, name, content.as_bytes())
        .unwrap();
}

fn scanned(bytes: &[u8]) -> Result<Entries, ScanError> {
    scan(Cursor::new(bytes), bytes.len() as u64)
}

#[track_caller]
fn found(bytes: &[u8]) -> Vec<(String, String)> {
    let entries = scanned(bytes).unwrap().into_iter();
    let content = |span: Span| {
        let start = usize::try_from(span.offset).unwrap();
        let end = start + usize::try_from(span.size).unwrap();
        String::from_utf8(bytes[start..end].to_vec()).unwrap()
    };
    entries.map(|(name, span)| (name, content(span))).collect()
}

#[track_caller]
fn refused(bytes: &[u8]) -> String {
    match scanned(bytes).unwrap_err() {
        ScanError::Malformed(reason) => reason,
        ScanError::NotATar(reason) => reason.to_owned(),
        ScanError::Read(error) => panic!("{error}"),
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let expected = expected.iter();
    expected
        .map(|(name, content)| ((*name).to_owned(), (*content).to_owned()))
        .collect()
}

#[test]
fn files_are_found_by_name_and_the_last_of_a_name_counts() {
    let long = format!("blobs/sha512/{}", "a".repeat(128));
    let bytes = tar(|tar| {
        file(tar, "./index.json", "old");
        file(tar, "./blobs/sha256/a", "blob");
        file(tar, "index.json", "new");
        file(tar, &long, "long");
        let mut directory = header(EntryType::Directory, 0);
        tar.append_data(&mut directory, "blobs/sha256", std::io::empty())
            .unwrap();
        let mut link = header(EntryType::Symlink, 0);
        tar.append_link(&mut link, "other", "index.json").unwrap();
        let mut outside = header(EntryType::Regular, 1);
        outside.as_mut_bytes()[..5].copy_from_slice(b"../up");
        outside.set_cksum();
        tar.append(&outside, &b"x"[..]).unwrap();
    });
    let mut expected = pairs(&[("blobs/sha256/a", "blob"), ("index.json", "new")]);
    expected.insert(1, (long, "long".to_owned()));
    assert_eq!(found(&bytes), expected);
}

#[test]
fn extended_headers_give_name_and_size() {
    let bytes = tar(|tar| {
        tar.append_pax_extensions([("path", &b"./blobs/sha256/b"[..]), ("size", b"4")])
            .unwrap();
        // Programs write 0 into a field that is too short for the value.
        let mut short = header(EntryType::Regular, 0);
        short.set_path("short").unwrap();
        short.set_cksum();
        tar.append(&short, std::io::empty()).unwrap();
        let mut content = [0; 512];
        content[..4].copy_from_slice(b"blob");
        tar.get_mut().extend_from_slice(&content);
        file(tar, "index.json", "{}");
    });
    let expected = pairs(&[("blobs/sha256/b", "blob"), ("index.json", "{}")]);
    assert_eq!(found(&bytes), expected);
}

#[test]
fn a_file_that_is_not_a_tar_is_refused() {
    assert_eq!(refused(b""), "it is empty");
    assert_eq!(refused(b"short"), "it is not a tar");
    let filled = |start: &[u8]| {
        let mut bytes = start.to_vec();
        bytes.resize(2048, b'x');
        refused(&bytes)
    };
    assert_eq!(filled(b"text"), "it is not a tar");
    assert_eq!(filled(b"\x1f\x8b\x08"), "it is compressed with gzip");
    assert_eq!(filled(b"\x28\xb5\x2f\xfd"), "it is compressed with zstd");
    assert_eq!(filled(b"BZh9"), "it is compressed with bzip2");
    assert_eq!(filled(b"\xfd7zXZ\0"), "it is compressed with xz");
}

#[test]
fn a_tar_that_is_cut_anywhere_is_refused() {
    let bytes = tar(|tar| {
        file(tar, "index.json", "{}");
        file(tar, "blobs/sha256/a", &"blob".repeat(300));
    });
    for end in 1..bytes.len() - 1024 {
        let reason = refused(&bytes[..end]);
        let expected = if end < 512 {
            "it is not a tar"
        } else {
            "it is cut"
        };
        assert!(reason.contains(expected), "{end}: {reason}");
    }
    // One block of zeros is enough to end a tar.
    assert_eq!(found(&bytes[..bytes.len() - 512]).len(), 2);
}

#[test]
fn a_header_that_lies_is_refused() {
    let one = |change: &dyn Fn(&mut Header)| {
        tar(|tar| {
            file(tar, "index.json", "{}");
            let mut header = header(EntryType::Regular, 4);
            header.set_path("blobs/sha256/a").unwrap();
            change(&mut header);
            header.set_cksum();
            tar.append(&header, &b"blob"[..]).unwrap();
        })
    };
    for (change, expected) in [
        (
            &(|header: &mut Header| header.set_size(1 << 40)) as &dyn Fn(&mut Header),
            "it is cut",
        ),
        (
            &|header| header.as_gnu_mut().unwrap().size = [0xff; 12],
            "it is cut",
        ),
        (
            &|header| header.as_gnu_mut().unwrap().size = *b"zzzzzzzzzzzz",
            "is not a number",
        ),
        (
            &|header| header.set_entry_type(EntryType::Symlink),
            "`blobs/sha256/a` is not a regular file",
        ),
        (
            &|header| header.set_entry_type(EntryType::Link),
            "`blobs/sha256/a` is not a regular file",
        ),
        (
            &|header| header.set_entry_type(EntryType::GNUSparse),
            "`blobs/sha256/a` is a sparse file",
        ),
    ] {
        let reason = refused(&one(change));
        assert!(reason.contains(expected), "{reason}");
    }
    let mut damaged = one(&|_| {});
    damaged[1024 + 5] ^= 1;
    assert_eq!(refused(&damaged), "there is no header at byte 1024");
}

#[test]
fn extended_headers_have_a_largest_size() {
    for kind in [
        EntryType::GNULongName,
        EntryType::XHeader,
        EntryType::XGlobalHeader,
    ] {
        let content = "a".repeat(70_000);
        let bytes = tar(|tar| {
            let mut long = header(kind, content.len() as u64);
            long.set_cksum();
            tar.append(&long, content.as_bytes()).unwrap();
        });
        let reason = refused(&bytes);
        assert!(reason.contains("70000 bytes; at most 65536"), "{reason}");
    }
    let bytes = tar(|tar| {
        tar.append_pax_extensions([("GNU.sparse.major", &b"1"[..])])
            .unwrap();
        file(tar, "blobs/sha256/a", "blob");
    });
    assert!(refused(&bytes).contains("sparse"));
}
