//! WIT worlds: encoded, carried and printed.

use std::fs;
use std::path::Path;

use nkeys::KeyPair;
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Error, Input, Key, KeyKind, Limits, Metadata, Signer, verify,
};
use wasmcloud_par::archive::{encode_world, print_world};
use wasmcloud_par::content::{ErrorKind, Silent};

use crate::support::archives::LINUX;

const WORLD: &str = "package test:provider@0.1.0;

/// The WIT package of the provider.
world provider {
    import wasi:clocks/monotonic@0.2.0;
    export handler;
}

interface handler {
    use wasi:clocks/monotonic@0.2.0.{instant};
    handle: func(at: instant) -> result<string, string>;
}
";

const DEPENDENCY: &str = "package wasi:clocks@0.2.0;

interface monotonic {
    type instant = u64;
    now: func() -> instant;
}
";

fn wit_directory(directory: &Path) {
    let dependency = directory.join("deps").join("clocks");
    fs::create_dir_all(&dependency).unwrap();
    fs::write(directory.join("world.wit"), WORLD).unwrap();
    fs::write(dependency.join("clocks.wit"), DEPENDENCY).unwrap();
}

#[test]
fn a_wit_directory_is_encoded_and_printed_with_its_dependencies() {
    let directory = tempfile::tempdir().unwrap();
    wit_directory(directory.path());
    let world = encode_world(directory.path()).unwrap();
    let printed = print_world(&world).unwrap();
    for expected in [
        "package test:provider@0.1.0;",
        "world provider {",
        "export handler;",
        "handle: func(at: instant) -> result<string, string>;",
        "package wasi:clocks@0.2.0 {",
        "type instant = u64;",
    ] {
        assert!(printed.contains(expected), "{expected}\n{printed}");
    }

    // The printed text is WIT again, with the same meaning.
    let again = tempfile::tempdir().unwrap();
    fs::write(again.path().join("world.wit"), &printed).unwrap();
    let world = encode_world(again.path()).unwrap();
    assert_eq!(print_world(&world).unwrap(), printed);
}

#[tokio::test]
async fn both_crates_load_the_world_that_was_packed() {
    let wit = tempfile::tempdir().unwrap();
    wit_directory(wit.path());
    let world = encode_world(wit.path()).unwrap();
    assert_eq!(
        world,
        encode_world(wit.path()).unwrap(),
        "it is reproducible"
    );

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("provider.par.gz");
    let mut writer = ArchiveWriter::new(Metadata::default());
    writer.executable(LINUX.0.parse().unwrap(), Input::Bytes(LINUX.1.into()));
    writer.world(world.clone());
    let signer = Signer::new(
        Key::generate(KeyKind::Account),
        KeyPair::new_service().public_key().parse().unwrap(),
    );
    writer
        .write(&path, &signer.unwrap(), Compression::Gzip, &Silent)
        .unwrap();
    let contents = verify(fs::File::open(&path).unwrap(), &Limits::default()).unwrap();
    assert_eq!(contents.world.as_deref(), Some(world.as_slice()));
    let theirs = provider_archive::ProviderArchive::try_load_file(&path).await;
    assert_eq!(theirs.unwrap().wit_world(), Some(world.as_slice()));
}

#[test]
fn directories_without_valid_wit_are_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("world.wit");
    let cases: [(&str, &str); 4] = [
        ("nothing", ""),
        ("no WIT", "not a package"),
        (
            "a dependency that is missing",
            "package a:b; world w { import c:d/e; }",
        ),
        (
            "two worlds of one name",
            "package a:b; world w {} world w {}",
        ),
    ];
    for (what, text) in cases {
        fs::write(&file, text).unwrap();
        let error = encode_world(directory.path()).expect_err(what);
        assert!(matches!(error, Error::Wit { .. }), "{what}: {error:?}");
        assert_eq!(error.kind(), ErrorKind::Usage);
        let place = directory.path().display().to_string();
        assert!(error.to_string().contains(&place), "{what}: {error}");
    }
    let error = encode_world(&file).unwrap_err().to_string();
    assert!(error.contains("not a directory"), "{error}");
    let missing = encode_world(&directory.path().join("missing")).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
}

#[test]
fn bytes_that_are_not_a_world_are_not_printed() {
    let component = b"\0asm\x0d\0\x01\0".as_slice();
    let module = b"\0asm\x01\0\0\0".as_slice();
    for bytes in [b"".as_slice(), b"interface world {}", module, component] {
        let error = print_world(bytes).unwrap_err();
        assert!(matches!(error, Error::UnreadableWorld { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::NotVerified);
        assert!(error.to_string().contains("world.wasm"), "{error}");
    }
}

/// Worlds that `wash build` 0.43 has encoded: an interface with a function that returns `future<u8>` or `stream<u8>`.
const OF_WASH_WITH_FUTURE: &[u8] = include_bytes!("../../fixtures/worlds/wash-future.wasm");
const OF_WASH_WITH_STREAM: &[u8] = include_bytes!("../../fixtures/worlds/wash-stream.wasm");

#[test]
fn a_future_in_the_encoding_of_wash_is_not_printed_as_another_type() {
    let printed = print_world(OF_WASH_WITH_STREAM).unwrap();
    assert!(printed.contains("read: func() -> stream<u8>;"), "{printed}");
    let error = print_world(OF_WASH_WITH_FUTURE).unwrap_err().to_string();
    assert!(error.contains("wit-component 0.224.1"), "{error}");
    assert!(error.contains("future"), "{error}");

    // The present encoding is printed.
    let directory = tempfile::tempdir().unwrap();
    let wit = "package a:b; interface i { read: func() -> future<u8>; } world w { export i; }";
    fs::write(directory.path().join("world.wit"), wit).unwrap();
    let printed = print_world(&encode_world(directory.path()).unwrap()).unwrap();
    assert!(printed.contains("future<u8>"), "{printed}");
}

/// Encodes the WIT source `text`.
fn encoded(text: &str) -> Result<Vec<u8>, Error> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("w.wit"), text).unwrap();
    encode_world(directory.path())
}

#[test]
fn types_that_are_nested_deep_do_not_overflow_the_stack() {
    let depth = 5000;
    let (open, close) = ("list<".repeat(depth), ">".repeat(depth));
    let text = format!(
        "package a:b@1.0.0;\ninterface i {{ f: func(x: {open}u8{close}); }}\nworld w {{ import i; }}\n"
    );
    let world = encoded(&text).unwrap();
    assert!(print_world(&world).unwrap().contains(&open));
}

#[test]
fn a_world_that_could_not_be_printed_is_not_encoded() {
    // The size of a type is limited when it is decoded.
    let types: String = (1..40)
        .map(|number| format!("type t{number} = tuple<t{0}, t{0}>;\n", number - 1))
        .collect();
    let text = format!(
        "package a:b;\ninterface i {{\ntype t0 = u8;\n{types}f: func(a: t39);\n}}\nworld w {{ import i; }}\n"
    );
    let error = encoded(&text).unwrap_err();
    assert!(matches!(error, Error::Wit { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[test]
fn the_message_about_a_long_line_is_short() {
    let flags: Vec<String> = (0..40_000).map(|number| format!("f{number}")).collect();
    let text = format!(
        "package a:b@1.0.0;\ninterface i {{ flags f {{ {} }} }}\n",
        flags.join(", ")
    );
    let message = encoded(&text).unwrap_err().to_string();
    assert!(message.len() < 20_000, "{} bytes", message.len());
}

#[cfg(unix)]
#[test]
fn pipes_devices_and_too_much_are_not_read() {
    let directory = tempfile::tempdir().unwrap();
    wit_directory(directory.path());
    for place in ["x.wit", "deps/x.wasm", "deps/clocks/x.wit"] {
        let path = directory.path().join(place);
        let refused = || encode_world(directory.path()).unwrap_err().to_string();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(refused().contains("not a file"), "{}", refused());
        fs::remove_file(&path).unwrap();
        fs::File::create(&path).unwrap().set_len(3 << 30).unwrap();
        assert!(refused().contains("64 MiB"), "{}", refused());
        fs::remove_file(&path).unwrap();
    }
    encode_world(directory.path()).unwrap();
}
