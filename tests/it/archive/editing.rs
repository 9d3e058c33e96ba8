//! Changing existing archives.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use nkeys::KeyPair;
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Contents, Error, Identity, Input, Limits, Signer, VerifiedClaims,
    edit, verify,
};
use wasmcloud_par::content::{ErrorKind, Meter, Progress, Silent, Step};

use super::{Fixture, fixture, key, names, unix};
use crate::support::archives::{ArchiveBuilder, LINUX, MACOS};
use crate::support::wait_until;

impl Fixture {
    fn edit(
        &self,
        change: impl FnOnce(&mut ArchiveWriter) -> Result<(), Error>,
    ) -> Result<VerifiedClaims, Error> {
        self.edit_watched(change, &Silent)
    }

    fn edit_watched(
        &self,
        change: impl FnOnce(&mut ArchiveWriter) -> Result<(), Error>,
        progress: &dyn Progress,
    ) -> Result<VerifiedClaims, Error> {
        let signer =
            |_: &VerifiedClaims| Signer::new(key(&self.issuer), self.subject.public_key().parse()?);
        let limits = Limits::default();
        edit(
            &self.path,
            change,
            signer,
            Identity::Keep,
            &limits,
            progress,
        )
    }

    /// Returns the error of an edit, and asserts that the edit changed no file.
    fn refused_change(
        &self,
        change: impl FnOnce(&mut ArchiveWriter) -> Result<(), Error>,
    ) -> Error {
        let before = std::fs::read(&self.path).unwrap();
        let error = self.edit(change).unwrap_err();
        assert_eq!(std::fs::read(&self.path).unwrap(), before, "{error}");
        assert_eq!(names(self.directory.path()), ["provider.par"], "{error}");
        error
    }
}

fn contents(path: &Path) -> Result<Contents, Error> {
    verify(std::fs::File::open(path).unwrap(), &Limits::default())
}

fn remove(writer: &mut ArchiveWriter, target: &str) -> Result<(), Error> {
    writer.remove(&target.parse().unwrap()).map(drop)
}

#[test]
fn removing_an_executable_changes_nothing_else() {
    for compression in [Compression::None, Compression::Gzip] {
        let with = fixture("provider.par", |builder| {
            let builder = builder.world(b"the world");
            if compression == Compression::Gzip {
                builder.build_gzip()
            } else {
                builder.build()
            }
        });
        let before = contents(&with.path).unwrap();
        with.edit(|writer| remove(writer, LINUX.0)).unwrap();
        let after = contents(&with.path).unwrap();
        assert_eq!(after.claims.metadata(), before.claims.metadata());
        assert_eq!(after.claims.issuer(), before.claims.issuer());
        assert_eq!(after.claims.subject(), before.claims.subject());
        assert_eq!(
            (after.world, after.compression),
            (before.world, compression)
        );
        let targets: Vec<_> = after.executables.keys().map(|t| t.as_str()).collect();
        assert_eq!(targets, [MACOS.0]);
        assert_eq!(names(with.directory.path()), ["provider.par"]);
    }
}

#[test]
fn removing_an_absent_or_the_last_executable_is_refused() {
    let with = fixture("provider.par", ArchiveBuilder::build);
    let error = with.refused_change(|writer| remove(writer, "arm-linux"));
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = with.refused_change(|writer| {
        remove(writer, LINUX.0)?;
        remove(writer, MACOS.0)
    });
    assert!(matches!(error, Error::NothingLeft), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn an_expired_archive_is_signed_again_when_it_gets_another_date() {
    let with = fixture("provider.par", |builder| {
        let expired = builder.payload(|payload| {
            payload.insert("exp".to_owned(), 1_700_000_000.into());
        });
        expired.build()
    });
    let error = with.refused_change(|writer| {
        writer.metadata_mut().revision = Some(8);
        Ok(())
    });
    assert_eq!(error.kind(), ErrorKind::NotVerified, "{error:?}");
    let error = with.refused_change(|writer| {
        writer.metadata_mut().expires = Some(unix(1_700_000_001));
        Ok(())
    });
    assert!(matches!(error, Error::NeverValid { .. }), "{error:?}");
    with.edit(|writer| {
        writer.metadata_mut().expires = None;
        Ok(())
    })
    .unwrap();
    assert_eq!(
        contents(&with.path).unwrap().claims.metadata().expires,
        None
    );
}

#[test]
fn an_expired_archive_that_was_tampered_with_is_not_signed_again() {
    type Tamper = fn(ArchiveBuilder) -> ArchiveBuilder;
    let cases: [Tamper; 2] = [
        |builder| builder.signed_by(KeyPair::new_account()),
        |builder| builder.hash(LINUX.0, b"another executable"),
    ];
    for tamper in cases {
        let with = fixture("provider.par", |builder| {
            let expired = builder.payload(|payload| {
                payload.insert("exp".to_owned(), 1_700_000_000.into());
            });
            tamper(expired).build()
        });
        let error = with.refused_change(|writer| {
            writer.metadata_mut().expires = None;
            Ok(())
        });
        assert_eq!(error.kind(), ErrorKind::NotVerified, "{error:?}");
    }
}

#[test]
fn an_archive_that_becomes_valid_later_can_be_edited_until_then() {
    let with = fixture("provider.par", |builder| {
        let early = builder.payload(|payload| {
            payload.insert("nbf".to_owned(), u64::MAX.into());
        });
        early.build()
    });
    with.edit(|writer| remove(writer, LINUX.0)).unwrap();
    let error = contents(&with.path).unwrap_err();
    assert!(matches!(error, Error::NotYetValid(_)), "{error:?}");
}

#[test]
fn an_archive_that_another_program_replaces_during_an_edit_is_left_as_it_is() {
    type Change = fn(&Path) -> io::Result<()>;
    let changes: [(&str, Change); 3] = [
        ("replaced", |path| {
            let other = path.with_extension("other");
            std::fs::write(&other, "another archive")?;
            std::fs::rename(&other, path)
        }),
        ("overwritten", |path| {
            std::fs::write(path, "another archive")
        }),
        ("removed", |path| std::fs::remove_file(path)),
    ];
    for (what, change) in changes {
        let with = fixture("provider.par", ArchiveBuilder::build);
        let error = with.edit(|writer| {
            writer.metadata_mut().revision = Some(8);
            change(&with.path).unwrap();
            Ok(())
        });
        let error = error.unwrap_err();
        assert!(
            matches!(&error, Error::ArchiveChanged(path) if *path == with.path),
            "{what}: {error:?}"
        );
        assert_eq!(error.kind(), ErrorKind::Conflict);
        match std::fs::read(&with.path) {
            Ok(bytes) => assert_eq!(bytes, b"another archive", "{what}"),
            Err(error) => assert_eq!((what, error.kind()), ("removed", io::ErrorKind::NotFound)),
        }
        let left = names(with.directory.path());
        assert!(left.iter().all(|name| name == "provider.par"), "{left:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_archive_is_edited_through_a_symbolic_link_in_its_own_directory() {
    let with = fixture("provider.par", ArchiveBuilder::build);
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.par");
    std::os::unix::fs::symlink(&with.path, &link).unwrap();
    let linked = Fixture {
        path: link.clone(),
        ..with
    };
    linked
        .edit(|writer| {
            assert_eq!(names(elsewhere.path()), ["link.par"]);
            assert_eq!(names(linked.directory.path()).len(), 2);
            remove(writer, LINUX.0)
        })
        .unwrap();
    assert!(link.is_symlink());
    assert_eq!(names(linked.directory.path()), ["provider.par"]);
    let contents = contents(&linked.directory.path().join("provider.par")).unwrap();
    assert_eq!(contents.executables.len(), 1);
}

#[cfg(unix)]
#[test]
fn an_edited_archive_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let with = fixture("provider.par", ArchiveBuilder::build);
    let bits = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for mode in [0o600, 0o640, 0o444] {
        std::fs::set_permissions(&with.path, std::fs::Permissions::from_mode(mode)).unwrap();
        with.edit(|writer| {
            // The directory contains the unpacked files too.
            let directory = with.directory.path();
            for name in names(directory)
                .iter()
                .filter(|name| *name != "provider.par")
            {
                assert_eq!(bits(&directory.join(name)) & 0o077, 0, "{name}");
            }
            assert_eq!(names(directory).len(), 2);
            writer.metadata_mut().revision = Some(8);
            Ok(())
        })
        .unwrap();
        assert_eq!(bits(&with.path), mode);
    }
}

/// The threads whose edit has begun: it waits for another edit, or it has read the archive.
#[derive(Clone, Default)]
struct Begun(Arc<Mutex<HashSet<ThreadId>>>);

impl Begun {
    fn note(&self) {
        self.0.lock().unwrap().insert(thread::current().id());
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Progress for Begun {
    fn begin(&self, step: Step, _total: u64) -> Box<dyn Meter> {
        if step == Step::Waiting {
            Box::new(self.clone())
        } else {
            Box::new(Silent)
        }
    }
}

impl Meter for Begun {
    /// Is called, on the thread of the edit, only when another edit has locked the archive.
    fn advance(&self, _bytes: u64) -> io::Result<()> {
        self.note();
        Ok(())
    }
}

#[test]
fn no_edit_is_lost_when_several_run_at_the_same_time() {
    let with = fixture("provider.par", ArchiveBuilder::build);
    let targets = ["arm-linux", "mips-linux", "riscv64gc-linux", "s390x-linux"];
    let begun = Begun::default();
    thread::scope(|scope| {
        for target in targets {
            let (with, begun) = (&with, &begun);
            scope.spawn(move || {
                let change = |writer: &mut ArchiveWriter| {
                    begun.note();
                    // Without the lock, all edits would read the same archive before one of them writes it.
                    wait_until("all edits", || begun.count() == targets.len());
                    let input = Input::Bytes(target.into());
                    writer.executable(target.parse().unwrap(), input);
                    Ok(())
                };
                with.edit_watched(change, begun).unwrap();
            });
        }
    });
    let executables = contents(&with.path).unwrap().executables;
    for target in targets {
        assert!(
            executables.contains_key(&target.parse().unwrap()),
            "{target}"
        );
    }
    assert_eq!(names(with.directory.path()), ["provider.par"]);
}
