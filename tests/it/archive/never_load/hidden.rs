//! Entries that readers of tars skip, and that hosts read: `provider-archive` ignores the type of an entry, and the last
//! entry of a name wins.

use provider_archive::ProviderArchive;
use wasmcloud_par::archive::Error;

use super::{block_on, bytes_case, case, none_loads};
use crate::support::archives::{ArchiveBuilder, Entry, Format, LINUX, MACOS, pax_record};

/// The executable of an attacker. It is also the record of an extended header.
const EVIL: &[u8] = b"28 comment=\n/bin/echo EVIL\n\n";

/// Returns the token that `builder` makes.
fn token(builder: ArchiveBuilder) -> Vec<u8> {
    let mut tar = builder.build();
    let size = std::str::from_utf8(&tar[124..135]).unwrap();
    let size = usize::from_str_radix(size, 8).unwrap();
    tar.drain(..512);
    tar.truncate(size);
    tar
}

/// Returns a token that the attacker has signed, for [`EVIL`].
fn evil_token() -> Vec<u8> {
    let builder = ArchiveBuilder::empty().hash(MACOS.0, MACOS.1);
    token(builder.hash(LINUX.0, EVIL))
}

/// Returns an archive of a publisher, to which the attacker has added entries.
fn with_hidden(make: impl Fn(&str, &[u8]) -> Entry) -> ArchiveBuilder {
    ArchiveBuilder::two_targets()
        .entry(make("claims.jwt", &evil_token()))
        .entry(make("x86_64-linux.bin", EVIL))
}

#[test]
fn entries_that_only_hosts_read_do_not_load() {
    let forbidden: fn(&Error) -> bool = |error| matches!(error, Error::ForbiddenEntry { .. });
    let damaged: fn(&Error) -> bool = |error| matches!(error, Error::DamagedTar(_));
    let of_kind =
        |kind: u8| with_hidden(move |name, content| Entry::file(name, content).kind(kind));
    // Hosts do not decode the first part of a token.
    let in_old_headers = with_hidden(|name, content| {
        let content = match content.iter().position(|byte| *byte == b'.') {
            Some(dot) if name == "claims.jwt" => pax_record("comment", &content[dot..]),
            _ => content.to_vec(),
        };
        let entry = Entry::file(name, content);
        entry.kind(b'x').format(Format::Old)
    });
    let cases = vec![
        case("directories with content", of_kind(b'5'), forbidden),
        case("global headers", of_kind(b'g'), forbidden),
        case("PAX headers without a format", in_old_headers, forbidden),
        bytes_case("a size for later entries", with_size(), damaged),
    ];
    for case in &cases {
        let loaded = block_on(ProviderArchive::try_load(&case.bytes)).expect(case.name);
        let executable = loaded.target_bytes(LINUX.0);
        assert_eq!(executable.as_deref(), Some(EVIL), "{}", case.name);
    }
    none_loads(cases);
}

/// Returns an archive with two extended headers. Hosts use the size in the first one, that of the claims, for the second
/// one too, and take the rest of the second one for entries.
fn with_size() -> Vec<u8> {
    let tar = ArchiveBuilder::bare()
        .executable("aarch64-macos.bin", MACOS.1)
        .executable("x86_64-linux.bin", LINUX.1)
        .claims(Entry::file("claims.jwt", ""))
        .end(Vec::new())
        .build();
    // Each executable takes a header and a block.
    let (executables, claims) = tar.split_at(4 * 512);
    let size = token(ArchiveBuilder::two_targets()).len();
    let first = Entry::pax_header(pax_record("size", size.to_string().as_bytes()));
    let mut hidden = Entry::file("claims.jwt", evil_token()).bytes();
    hidden.extend(Entry::file("aarch64-macos.bin", MACOS.1).bytes());
    hidden.extend(Entry::file("x86_64-linux.bin", EVIL).bytes());
    hidden.extend([0; 1024]);
    // The first record ends where hosts see the end of the header. The second one has the hidden entries from the next
    // block on.
    let mut records = pax_record("comment", &vec![b'a'; size - "999 comment=\n".len()]);
    assert_eq!(records.len(), size);
    let before = size.next_multiple_of(512) - size - "9999 comment=".len();
    records.extend(pax_record(
        "comment",
        &[vec![b'a'; before], hidden].concat(),
    ));
    [
        executables,
        &first.bytes(),
        claims,
        &Entry::pax_header(records).bytes(),
        &Entry::directory("bin/").bytes(),
        &[0; 1024],
    ]
    .concat()
}

#[test]
fn directories_that_hosts_would_read_do_not_load() {
    let forbidden: fn(&Error) -> bool = |error| matches!(error, Error::ForbiddenName { .. });
    let directories = [
        "claims/",
        "claims",
        "bin/claims.jwt/",
        "world.wit/",
        "x86_64-linux/",
        "bin/aarch64-macos.bin/",
        // A target of the claims that the archive does not have.
        "arm-linux/",
    ];
    let mut cases = Vec::new();
    for name in directories {
        let archive = || ArchiveBuilder::two_targets().hash("arm-linux", b"");
        let old = Entry::file(name, "").format(Format::Old).kind(0);
        cases.push(case(
            name,
            archive().entry(Entry::directory(name)),
            forbidden,
        ));
        if name.ends_with('/') {
            cases.push(case(name, archive().entry(old), forbidden));
        }
    }
    none_loads(cases);
}

#[test]
fn a_directory_with_a_size_does_not_load() {
    let forbidden: fn(&Error) -> bool = |error| matches!(error, Error::ForbiddenEntry { .. });
    let with = |entry: Entry| ArchiveBuilder::two_targets().entry(entry);
    none_loads(vec![
        case(
            "an entry",
            with(Entry::directory("bin/").with_content(&Entry::file("x", "").bytes())),
            forbidden,
        ),
        case(
            "a size alone",
            with(Entry::directory("bin/").declared_size(4096)),
            forbidden,
        ),
    ]);
}

#[test]
fn a_global_header_does_not_load() {
    let header = |name| Entry::file(name, pax_record("comment", b"a commit")).kind(b'g');
    let forbidden: fn(&Error) -> bool = |error| {
        matches!(
            error,
            Error::ForbiddenEntry {
                what: "global header",
                ..
            }
        )
    };
    let first = ArchiveBuilder::bare()
        .entry(header("pax_global_header").format(Format::Ustar))
        .claims(Entry::file("claims.jwt", ""))
        .executable("x86_64-linux.bin", LINUX.1)
        .executable("aarch64-macos.bin", MACOS.1);
    let last = ArchiveBuilder::two_targets().entry(header("x86_64-linux.bin"));
    none_loads(vec![
        case("as `git archive` writes it", first, forbidden),
        case("with the name of an executable", last, forbidden),
    ]);
}

#[test]
fn extension_headers_that_contradict_one_another_do_not_load() {
    let damaged: fn(&Error) -> bool = |error| matches!(error, Error::DamagedTar(_));
    let name = b"x86_64-linux.bin".as_slice();
    let linux = || Entry::file(name, LINUX.1);
    let archive = |entry: Entry| {
        ArchiveBuilder::empty()
            .executable("aarch64-macos.bin", MACOS.1)
            .executable_entry(entry)
    };
    let path = |path: &'static [u8]| [("path", path)];
    let other = b"arm-linux.bin".as_slice();
    let long_name = Entry::file("././@LongLink", "arm-linux.bin\0").kind(b'L');
    none_loads(vec![
        case(
            "two paths in one PAX header",
            archive(linux().pax(&[("path", other), ("path", name)])),
            damaged,
        ),
        case(
            "the same path twice",
            archive(linux().pax(&[("path", name), ("path", name)])),
            damaged,
        ),
        case(
            "a long name and a path",
            archive(linux().gnu_long_name(other).pax(&path(name))),
            damaged,
        ),
        case(
            "a path and a long name",
            archive(linux().pax(&path(other)).gnu_long_name(name)),
            damaged,
        ),
        case(
            "two long names",
            archive(linux().gnu_long_name(other).gnu_long_name(name)),
            damaged,
        ),
        case(
            "two PAX headers",
            archive(linux().pax(&path(name)).pax(&[("mtime", b"1")])),
            damaged,
        ),
        case(
            "a PAX header at the end",
            archive(linux()).entry(Entry::pax_header(pax_record("path", other))),
            damaged,
        ),
        case(
            "an empty PAX header at the end",
            archive(linux()).entry(Entry::pax_header("")),
            damaged,
        ),
        case(
            "a long name at the end",
            archive(linux()).entry(long_name),
            damaged,
        ),
    ]);
}

/// GNU `tar` and Python read these in another way, or not at all.
#[test]
fn sizes_that_readers_disagree_on_do_not_load() {
    let archive = |entry: Entry| {
        ArchiveBuilder::empty()
            .executable("aarch64-macos.bin", MACOS.1)
            .executable_entry(entry)
    };
    let linux = || Entry::file("x86_64-linux.bin", LINUX.1);
    let mut field = [0; 12];
    field[4..].copy_from_slice(&(LINUX.1.len() as u64).to_be_bytes());
    let base_256 = |first: [u8; 4]| {
        let mut field = field;
        field[..4].copy_from_slice(&first);
        archive(linux().size_field(field))
    };
    wasmcloud_par::archive::verify(
        base_256([0x80, 0, 0, 0]).build().as_slice(),
        &Default::default(),
    )
    .expect("it is the size");
    let sparse: [(&str, &[u8]); 3] = [
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.minor", b"0"),
        ("GNU.sparse.realsize", b"1099511627776"),
    ];
    let damaged: fn(&Error) -> bool = |error| matches!(error, Error::DamagedTar(_));
    none_loads(vec![
        case("2^64 and more", base_256([0x80, 0, 0, 1]), damaged),
        case("2^88 and more", base_256([0x81, 0, 0, 0]), damaged),
        case("negative", base_256([0xff, 0xff, 0xff, 0xff]), damaged),
        case("a sparse file", archive(linux().pax(&sparse)), |error| {
            matches!(
                error,
                Error::ForbiddenEntry {
                    what: "sparse file",
                    ..
                }
            )
        }),
    ]);
}
