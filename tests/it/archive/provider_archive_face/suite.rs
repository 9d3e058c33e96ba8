//! The cases of the unit tests of `provider-archive` 0.16.2. This file is compiled once for each crate:
//! [`ProviderArchive`] and [`Result`] of `super` are those of the crate.

use std::io::Cursor;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use nkeys::KeyPair;
use serde_json::json;
use tempfile::TempDir;

use super::{ProviderArchive, Result};

const WORLD: &[u8] = b"interface world example { resource config {} }";

struct Fixture {
    directory: TempDir,
    issuer: KeyPair,
    subject: KeyPair,
}

fn fixture() -> Result<Fixture> {
    Ok(Fixture {
        directory: tempfile::tempdir()?,
        issuer: KeyPair::new_account(),
        subject: KeyPair::new_service(),
    })
}

fn archive(libraries: &[(&str, &[u8])]) -> Result<ProviderArchive> {
    let version = Some("0.0.3".to_string());
    let mut archive = ProviderArchive::new("Testing", "wasmCloud", Some(3), version);
    for (target, library) in libraries {
        archive.add_library(target, library)?;
    }
    Ok(archive)
}

const THREE: [(&str, &[u8]); 3] = [
    ("aarch64-linux", b"heylookimaraspberrypi"),
    ("x86_64-linux", b"system76"),
    ("x86_64-macos", b"16inchmacbookpro"),
];

/// Compares everything except the claims, which loading a single target does not change.
fn assert_same_libraries(left: &ProviderArchive, right: &ProviderArchive) {
    let sorted = |archive: &ProviderArchive| {
        let mut targets = archive.targets();
        targets.sort();
        targets
    };
    assert_eq!(sorted(left), sorted(right));
    for target in left.targets() {
        assert_eq!(left.target_bytes(&target), right.target_bytes(&target));
    }
}

#[tokio::test]
async fn writing_creates_the_file() -> Result<()> {
    let with = fixture()?;
    let path = with.directory.path().join("writetest.par");
    let mut archive = archive(&[("aarch64-linux", b"blahblah")])?;
    archive
        .write(&path, &with.issuer, &with.subject, false)
        .await?;
    assert!(tokio::fs::metadata(path).await?.len() > 0);
    Ok(())
}

#[tokio::test]
async fn an_archive_without_libraries_is_written_and_does_not_load() -> Result<()> {
    let with = fixture()?;
    let path = with.directory.path().join("shoulderr.par");
    let mut empty = archive(&[])?;
    empty
        .write(&path, &with.issuer, &with.subject, false)
        .await?;
    let bytes = tokio::fs::read(path).await?;
    assert!(ProviderArchive::try_load(&bytes).await.is_err());
    Ok(())
}

#[tokio::test]
async fn an_archive_is_loaded_again_and_a_library_can_be_added() -> Result<()> {
    let with = fixture()?;
    let first = with.directory.path().join("firstarchive.par");
    let second = with.directory.path().join("secondarchive.par");
    let mut written = archive(&THREE)?;
    written.set_schema(json!({"property": "foo"}))?;
    written
        .write(&first, &with.issuer, &with.subject, false)
        .await?;

    let loaded = ProviderArchive::try_load_file(&first).await?;
    assert_same_libraries(&written, &loaded);
    let subject = written.claims().map(|claims| claims.subject);
    assert_eq!(subject, Some(with.subject.public_key()));

    let mut single = ProviderArchive::try_load_target_from_file(&first, "aarch64-linux").await?;
    assert_eq!(single.targets(), ["aarch64-linux"]);
    assert_eq!(
        single.target_bytes("aarch64-linux"),
        written.target_bytes("aarch64-linux")
    );
    let claims = single.claims().ok_or("the claims load too")?;
    assert_eq!(claims.subject, with.subject.public_key());
    let metadata = claims.metadata.ok_or("with their metadata")?;
    assert_eq!(metadata.config_schema, Some(json!({"property": "foo"})));
    assert_eq!(single.schema(), Some(json!({"property": "foo"})));
    single.set_schema(json!(null))?;

    let bytes = tokio::fs::read(&first).await?;
    let mut loaded = ProviderArchive::try_load(&bytes).await?;
    assert_same_libraries(&written, &loaded);
    loaded.add_library("mips-linux", b"bluhbluh")?;
    loaded
        .write(&second, &with.issuer, &with.subject, false)
        .await?;

    let bytes = tokio::fs::read(&second).await?;
    let reloaded = ProviderArchive::try_load(&bytes).await?;
    assert_same_libraries(&loaded, &reloaded);
    assert_eq!(reloaded.targets().len(), 4);
    let subject = reloaded.claims().map(|claims| claims.subject);
    assert_eq!(subject, Some(with.subject.public_key()));
    Ok(())
}

#[tokio::test]
async fn plain_and_compressed_archives_hold_the_same_with_and_without_a_world() -> Result<()> {
    for world in [None, Some(WORLD)] {
        let with = fixture()?;
        let plain = with.directory.path().join("computers.par");
        let compressed = with.directory.path().join("computers.par.gz");
        let mut written = archive(&THREE)?;
        if let Some(world) = world {
            written.add_wit_world(world)?;
        }
        written
            .write(&plain, &with.issuer, &with.subject, false)
            .await?;
        written
            .write(&compressed, &with.issuer, &with.subject, true)
            .await?;
        for path in [plain, compressed] {
            let bytes = tokio::fs::read(&path).await?;
            for loaded in [
                ProviderArchive::try_load(&bytes).await?,
                ProviderArchive::try_load_file(&path).await?,
            ] {
                assert_same_libraries(&written, &loaded);
                assert_eq!(loaded.wit_world(), world);
                let claims = loaded.claims().ok_or("it has claims")?;
                assert_eq!(claims.subject, with.subject.public_key());
                let hashes = claims.metadata.ok_or("and metadata")?.target_hashes;
                assert_eq!(hashes.contains_key("world.wasm"), world.is_some());
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_compressed_archive_gets_the_suffix_when_it_is_missing() -> Result<()> {
    for world in [None, Some(WORLD)] {
        for name in ["multi-os.par", "multi-os.par.gz", "multi-os"] {
            let with = fixture()?;
            let mut written = archive(&[
                ("x86_64-linux", b"linux"),
                ("arm-macos", b"macos"),
                ("mips64-freebsd", b"freebsd"),
            ])?;
            if let Some(world) = world {
                written.add_wit_world(world)?;
            }
            let path = with.directory.path().join(name);
            written
                .write(&path, &with.issuer, &with.subject, true)
                .await?;
            let expected = format!("{}.gz", name.trim_end_matches(".gz"));
            let loaded =
                ProviderArchive::try_load_file(with.directory.path().join(expected)).await?;
            assert_same_libraries(&written, &loaded);
            assert_eq!(written.claims(), loaded.claims());
            assert_eq!(written.wit_world(), loaded.wit_world());
        }
    }
    Ok(())
}

#[tokio::test]
async fn claims_are_preserved_when_a_library_is_added() -> Result<()> {
    let with = fixture()?;
    let original = with.directory.path().join("original.par.gz");
    let added = with.directory.path().join("linuxadded.par.gz");
    let mut written = archive(&THREE)?;
    written
        .write(&original, &with.issuer, &with.subject, true)
        .await?;
    let mut loaded = ProviderArchive::try_load_file(&original).await?;
    assert_same_libraries(&written, &loaded);
    loaded.add_library("mips-linux", b"bluhbluh")?;
    loaded
        .write(&added, &with.issuer, &with.subject, true)
        .await?;
    let reloaded = ProviderArchive::try_load_file(&added).await?;
    assert_eq!(reloaded.targets().len(), 4);
    for archive in [
        ProviderArchive::try_load_file(&original).await?,
        loaded,
        reloaded,
    ] {
        let claims = archive.claims().ok_or("it has claims")?;
        assert_eq!(claims.subject, with.subject.public_key());
        assert_eq!(claims.issuer, with.issuer.public_key());
        assert_eq!(claims.name(), "Testing");
        let metadata = claims.metadata.ok_or("and metadata")?;
        assert_eq!(metadata.ver.as_deref(), Some("0.0.3"));
        assert_eq!(metadata.rev, Some(3));
        assert_eq!(metadata.vendor, "wasmCloud");
    }
    Ok(())
}

#[tokio::test]
async fn an_archive_without_a_world_loads() -> Result<()> {
    let with = fixture()?;
    let path = with.directory.path().join("old_style.par");
    let mut written = archive(&[("x86_64-linux", b"oldbin")])?;
    written
        .write(&path, &with.issuer, &with.subject, false)
        .await?;
    let loaded = ProviderArchive::try_load_file(&path).await?;
    assert_eq!(loaded.wit_world(), None);
    assert_same_libraries(&written, &loaded);
    Ok(())
}

#[tokio::test]
async fn there_are_no_claims_before_writing() -> Result<()> {
    let with = fixture()?;
    let mut archive = archive(&THREE)?;
    archive.set_schema(json!({}))?;
    assert_eq!(archive.claims(), None);
    assert!(archive.claims_token().is_none());
    let path = with.directory.path().join("archive.par");
    archive
        .write(&path, &with.issuer, &with.subject, false)
        .await?;
    let token = archive.claims_token().ok_or("it was written")?;
    assert_eq!(archive.claims().as_ref(), Some(&token.claims));
    Ok(())
}

#[tokio::test]
async fn an_absent_target_is_an_error_of_every_function() -> Result<()> {
    let with = fixture()?;
    let path = with.directory.path().join("archive.par");
    let mut written = archive(&THREE)?;
    written
        .write(&path, &with.issuer, &with.subject, false)
        .await?;
    let bytes = tokio::fs::read(&path).await?;
    let mut file = tokio::fs::File::open(&path).await?;
    for target in ["riscv64gc-linux", "", "claims", "../x"] {
        let from_bytes = ProviderArchive::try_load_target(&bytes, target).await;
        let from_file = ProviderArchive::try_load_target_from_file(&path, target).await;
        let from_stream = ProviderArchive::load(&mut file, Some(target)).await;
        assert!(from_bytes.is_err(), "{target}");
        assert!(from_file.is_err(), "{target}");
        assert!(from_stream.is_err(), "{target}");
        tokio::io::AsyncSeekExt::rewind(&mut file).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_loads_as_a_file_does() -> Result<()> {
    let with = fixture()?;
    let path = with.directory.path().join("archive.par.gz");
    let mut written = archive(&THREE)?;
    written
        .write(&path, &with.issuer, &with.subject, true)
        .await?;
    let mut stream = std::io::Cursor::new(tokio::fs::read(&path).await?);
    let loaded = ProviderArchive::load(&mut stream, None).await?;
    assert_same_libraries(&written, &loaded);
    stream.set_position(0);
    let single = ProviderArchive::load(&mut stream, Some("x86_64-macos")).await?;
    assert_eq!(single.targets(), ["x86_64-macos"]);
    Ok(())
}

#[tokio::test]
async fn the_work_moves_between_threads() -> Result<()> {
    let with = fixture()?;
    let path = with.directory.path().join("archive.par");
    let mut written = archive(&THREE)?;
    let task = tokio::spawn(async move {
        written
            .write(&path, &with.issuer, &with.subject, false)
            .await?;
        let bytes = tokio::fs::read(&path).await?;
        ProviderArchive::try_load(&bytes).await?;
        let mut file = tokio::fs::File::open(&path).await?;
        ProviderArchive::load(&mut file, None).await?;
        ProviderArchive::try_load_file(&path).await
    });
    assert_eq!(task.await??.targets().len(), 3);
    Ok(())
}

/// Runs a future without a Tokio runtime.
fn poll<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

#[test]
fn an_archive_loads_outside_of_a_runtime() -> Result<()> {
    let with = fixture()?;
    let path = with.directory.path().join("elsewhere.par");
    crate::support::block_on(async {
        let mut archive = archive(&THREE)?;
        archive
            .write(&path, &with.issuer, &with.subject, false)
            .await
    })?;
    let bytes = std::fs::read(&path)?;
    let (target, library) = THREE[1];
    for loaded in [
        poll(ProviderArchive::load(&mut Cursor::new(&bytes), None))?,
        poll(ProviderArchive::load(
            &mut Cursor::new(&bytes),
            Some(target),
        ))?,
        poll(ProviderArchive::try_load(&bytes))?,
        poll(ProviderArchive::try_load_target(&bytes, target))?,
    ] {
        assert_eq!(loaded.target_bytes(target).as_deref(), Some(library));
    }
    Ok(())
}
