//! Adding executables to existing archives.

use std::collections::BTreeMap;
use std::path::Path;

use nkeys::KeyPair;
use wasmcloud_par::archive::{
    Compression, Contents, Error, Identity, Input, Limits, Signer, Target, VerifiedClaims, insert,
    load, verify,
};
use wasmcloud_par::content::{ErrorKind, Silent};

use super::{Fixture, fixture, key, names};
use crate::support::archives::{
    ArchiveBuilder, LINUX, MACOS, PeerArchive, VENDOR, gzip, peer_archive,
};

const NEW: (&str, &[u8]) = ("riscv64gc-linux", b"the new executable");

fn executables(given: &[(&str, &[u8])]) -> BTreeMap<Target, Input> {
    given
        .iter()
        .map(|(target, bytes)| (target.parse().unwrap(), Input::Bytes(bytes.to_vec().into())))
        .collect()
}

fn insert_with(
    path: &Path,
    given: &[(&str, &[u8])],
    (issuer, subject): (&KeyPair, &KeyPair),
    identity: Identity,
) -> Result<VerifiedClaims, Error> {
    let signer = |_: &VerifiedClaims| Signer::new(key(issuer), subject.public_key().parse()?);
    let given = executables(given);
    insert(path, given, signer, identity, &Limits::default(), &Silent)
}

fn contents(path: &Path) -> Contents {
    verify(std::fs::File::open(path).unwrap(), &Limits::default()).unwrap()
}

#[tokio::test]
async fn an_archive_of_the_other_crate_keeps_its_contents() {
    for what in PeerArchive::all() {
        let directory = tempfile::tempdir().unwrap();
        let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
        let path = peer_archive(directory.path(), &what, &issuer, &subject).await;
        let before = contents(&path);
        let keys = (&issuer, &subject);
        let claims = insert_with(&path, &[NEW], keys, Identity::Keep).unwrap();

        let after = contents(&path);
        assert_eq!(after.claims, claims, "{what:?}");
        assert_eq!(after.claims.issuer().as_str(), issuer.public_key());
        assert_eq!(after.claims.subject().as_str(), subject.public_key());
        assert_eq!(after.claims.metadata(), before.claims.metadata());
        assert_eq!(after.claims.metadata().schema, what.schema);
        assert_eq!(after.world, what.world);
        assert_eq!(after.compression == Compression::Gzip, what.compress);
        assert_eq!(names(directory.path()).len(), 1, "only the archive");

        let theirs = provider_archive::ProviderArchive::try_load_file(&path)
            .await
            .unwrap();
        assert_eq!(theirs.targets().len(), 3, "{what:?}");
        for (target, executable) in [LINUX, MACOS, NEW] {
            assert_eq!(theirs.target_bytes(target).as_deref(), Some(executable));
        }
        assert_eq!(theirs.wit_world(), what.world.as_deref());
        assert_eq!(theirs.schema(), what.schema);
    }
}

impl Fixture {
    /// Returns the error of an insert, and asserts that the insert changed no file.
    fn refused(&self, attempt: impl FnOnce(&Path) -> Result<VerifiedClaims, Error>) -> Error {
        let before = std::fs::read(&self.path).unwrap();
        let error = attempt(&self.path).unwrap_err();
        assert_eq!(std::fs::read(&self.path).unwrap(), before, "{error}");
        assert_eq!(names(self.directory.path()), ["provider.par.gz"], "{error}");
        error
    }
}

#[test]
fn an_executable_replaces_the_one_for_the_same_target() {
    let with = fixture("provider.par.gz", ArchiveBuilder::build_gzip);
    let new = (LINUX.0, b"a newer one".as_slice());
    insert_with(
        &with.path,
        &[new],
        (&with.issuer, &with.subject),
        Identity::Keep,
    )
    .unwrap();
    let file = std::fs::File::open(&with.path).unwrap();
    let loaded = load(file, None, &Limits::default()).unwrap();
    let executables: Vec<&[u8]> = loaded.executables.values().map(Vec::as_slice).collect();
    assert_eq!(executables, [MACOS.1, new.1]);
}

#[test]
fn the_signer_is_called_with_the_claims() {
    let with = fixture("provider.par.gz", ArchiveBuilder::build);
    let signer = |claims: &VerifiedClaims| {
        assert_eq!(claims.issuer().as_str(), with.issuer.public_key());
        assert_eq!(claims.metadata().vendor, VENDOR);
        Signer::new(key(&with.issuer), claims.subject().clone())
    };
    let given = executables(&[NEW]);
    let limits = Limits::default();
    let claims = insert(&with.path, given, signer, Identity::Keep, &limits, &Silent).unwrap();
    assert_eq!(claims.executables().len(), 3);
    let compression = contents(&with.path).compression;
    assert_eq!(compression, Compression::None, "whatever its name says");
}

#[test]
fn a_signer_with_other_keys_is_refused() {
    let with = fixture("provider.par.gz", ArchiveBuilder::build_gzip);
    let (account, service) = (KeyPair::new_account(), KeyPair::new_service());
    let cases = [
        ("issuer", &account, &with.subject),
        ("subject", &with.issuer, &service),
    ];
    for (expected, issuer, subject) in cases {
        let error =
            with.refused(|path| insert_with(path, &[NEW], (issuer, subject), Identity::Keep));
        assert!(
            matches!(&error, Error::IdentityWouldChange { role, .. } if *role == expected),
            "{error:?}"
        );
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
}

#[test]
fn the_identity_can_be_changed_if_the_caller_allows_it() {
    let with = fixture("provider.par.gz", ArchiveBuilder::build_gzip);
    let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
    insert_with(&with.path, &[NEW], (&issuer, &subject), Identity::Change).unwrap();
    let after = contents(&with.path);
    assert_eq!(after.claims.issuer().as_str(), issuer.public_key());
    assert_eq!(after.claims.subject().as_str(), subject.public_key());
}

#[test]
fn an_archive_that_was_tampered_with_is_not_signed_again() {
    type Tamper = fn(ArchiveBuilder) -> Vec<u8>;
    let cases: [(&str, Tamper); 5] = [
        ("an executable", |builder| {
            replace(
                builder.build(),
                LINUX.1,
                b"\x7fELF the executable for LINUX",
            )
        }),
        ("an executable, compressed", |builder| {
            let tar = replace(
                builder.build(),
                LINUX.1,
                b"\x7fELF the executable for LINUX",
            );
            gzip(&tar)
        }),
        ("the claims", |builder| {
            builder.signed_by(KeyPair::new_account()).build()
        }),
        ("one more executable", |builder| {
            let entry = crate::support::archives::Entry::file("arm-linux.bin", "evil");
            builder.entry(entry).build()
        }),
        ("the end", |builder| {
            let mut bytes = builder.build_gzip();
            bytes.truncate(bytes.len() - 1);
            bytes
        }),
    ];
    for (what, tamper) in cases {
        let with = fixture("provider.par.gz", tamper);
        let keys = (&with.issuer, &with.subject);
        let error = with.refused(|path| insert_with(path, &[NEW], keys, Identity::Change));
        assert_eq!(error.kind(), ErrorKind::NotVerified, "{what}: {error:?}");
        let text = error.to_string();
        assert!(text.contains("provider.par.gz"), "{what}: {text}");
    }
}

fn replace(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|part| part == from);
    let at = at.unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn a_failed_insert_changes_nothing() {
    let with = fixture("provider.par.gz", ArchiveBuilder::build_gzip);
    let limits = Limits::default();
    let missing = with.directory.path().join("missing");
    let error = with.refused(|path| {
        let given = BTreeMap::from([(NEW.0.parse().unwrap(), Input::File(missing.clone()))]);
        let signer =
            |_: &VerifiedClaims| Signer::new(key(&with.issuer), with.subject.public_key().parse()?);
        insert(path, given, signer, Identity::Keep, &limits, &Silent)
    });
    assert!(
        matches!(&error, Error::Read { path, .. } if *path == missing),
        "{error:?}"
    );
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let error = with.refused(|path| {
        let signer = |_: &VerifiedClaims| Err(Error::NoKeyDirectory);
        let given = executables(&[NEW]);
        insert(path, given, signer, Identity::Keep, &limits, &Silent)
    });
    assert!(matches!(error, Error::NoKeyDirectory), "{error:?}");
}

#[test]
fn a_missing_archive_is_not_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing.par");
    let keys = (&KeyPair::new_account(), &KeyPair::new_service());
    let error = insert_with(&path, &[NEW], keys, Identity::Keep).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
    assert!(error.to_string().contains("missing.par"), "{error}");
    assert!(names(directory.path()).is_empty());
}
