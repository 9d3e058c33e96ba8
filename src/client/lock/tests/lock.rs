use crate::content::{Digest, ErrorKind};
use crate::oci::Reference;

use super::{Lock, LockError, Locked, LockedIdentity, LockedRoot};

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

fn locked(name: &str, content: &str) -> Locked {
    Locked {
        reference: reference(name),
        digest: Digest::of(content.as_bytes()),
        issuer: "ISSUER".to_owned(),
        subject: "SUBJECT".to_owned(),
        version: Some("1.0 \"beta\"\n".to_owned()),
        revision: None,
        identity: None,
    }
}

fn two() -> Lock {
    let names = ["ghcr.io/org/b:1.0", "ghcr.io/org/a:1.0"];
    names.into_iter().map(|name| locked(name, name)).collect()
}

/// Returns the line and the reason of the error for a malformed lock file.
fn problem(text: &str) -> (usize, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("par.lock");
    std::fs::write(&path, text).unwrap();
    let error = Lock::read(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    match error {
        LockError::Malformed { line, reason, .. } => (line, reason),
        other => panic!("{other}"),
    }
}

#[test]
fn a_lock_is_read_as_it_was_written_and_its_file_is_always_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("par.lock");
    let lock = two();
    lock.write(&path).unwrap();
    assert_eq!(Lock::read(&path).unwrap(), lock);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# The digests"), "{text}");
    assert!(text.find("org/a").unwrap() < text.find("org/b").unwrap());
    let backwards: Lock = two().iter().rev().cloned().collect();
    assert_eq!(backwards.text().unwrap(), text);
}

#[test]
fn a_reference_is_found_as_written_and_by_its_digest() {
    let lock = two();
    let digest = Digest::of(b"ghcr.io/org/a:1.0");
    let pinned = format!("ghcr.io/org/a@{digest}");
    for found in [
        "ghcr.io/org/a:1.0",
        "oci://GHCR.io/org/a:1.0",
        &pinned,
        &format!("ghcr.io/org/a:other@{digest}"),
    ] {
        let found = lock.pinned(&reference(found)).unwrap();
        assert_eq!(found.to_string(), pinned);
    }
    for missing in [
        "ghcr.io/org/a:1.1",
        "ghcr.io/org/a",
        &format!("ghcr.io/org/b@{digest}"),
        &format!("ghcr.io/org/a:1.0@{}", Digest::of(b"")),
    ] {
        let error = lock.pinned(&reference(missing)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotVerified, "{missing}");
    }
    let latest: Lock = [locked("ghcr.io/org/a:latest", "")].into_iter().collect();
    assert!(latest.find(&reference("ghcr.io/org/a")).is_some());
}

#[test]
fn a_malformed_lock_file_is_reported_with_the_line() {
    let entry = |reference: &str, digest: &str| {
        format!(
            "[[provider]]\nreference = \"{reference}\"\ndigest = \"{digest}\"\nissuer = \"A\"\n\
             subject = \"V\"\n"
        )
    };
    let digest = Digest::of(b"").to_string();
    let good = entry("ghcr.io/org/a:1.0", &digest);
    let cases = [
        (String::new(), 1, "version"),
        (
            "version = 3\nproviders = {}\n".to_owned(),
            1,
            "neither 1 nor 2",
        ),
        (format!("version = 1\n{good}more = 1\n"), 7, "more"),
        (format!("version = 1\n{good}{good}"), 7, "listed twice"),
        (
            format!(
                "version = 1\n{good}{}",
                entry(&format!("ghcr.io/org/b@{}", Digest::of(b"b")), &digest)
            ),
            7,
            "is not sha256:e3b0",
        ),
        (
            format!("version = 1\n{}", entry("ghcr.io/org/a:1.0", "md5:0")),
            4,
            "md5",
        ),
        (
            format!("version = 1\n{}", entry("org/a:1.0", &digest)),
            3,
            "names no registry",
        ),
        ("version = 1\n[[provider]]\nx".to_owned(), 3, ""),
    ];
    for (text, line, said) in cases {
        let (found, reason) = problem(&text);
        assert_eq!(found, line, "{text}{reason}");
        assert!(reason.contains(said), "{text}{reason}");
    }
}

fn published(name: &str, issuer: &str, revision: Option<i32>) -> Locked {
    Locked {
        issuer: issuer.to_owned(),
        revision,
        ..locked(name, name)
    }
}

#[test]
fn an_entry_takes_the_place_of_another_one_only_with_its_publisher_and_no_lower_revision() {
    let lock: Lock = [published("ghcr.io/org/a:1.0", "A", Some(3))]
        .into_iter()
        .collect();
    let objections = |name: &str, issuer, revision| {
        let found = lock.objections(&published(name, issuer, revision));
        let texts = found.iter().map(ToString::to_string);
        texts.collect::<Vec<_>>().join("; ")
    };
    for (name, issuer, revision) in [
        ("ghcr.io/org/a:1.0", "A", Some(3)),
        ("ghcr.io/org/a:1.0", "A", Some(4)),
        ("ghcr.io/org/a:2.0", "A", Some(1)),
        ("ghcr.io/org/b:1.0", "B", None),
    ] {
        assert_eq!(objections(name, issuer, revision), "");
    }
    let older = objections("ghcr.io/org/a:1.0", "A", Some(2));
    assert!(
        older.contains("revision 2, but the lock has the higher revision 3"),
        "{older}"
    );
    let none = objections("ghcr.io/org/a:1.0", "A", None);
    assert!(none.contains("no revision"), "{none}");
    // A new tag must have the publisher of the other tags of its repository.
    for tag in ["1.0", "2.0"] {
        let other = objections(&format!("ghcr.io/org/a:{tag}"), "B", Some(9));
        assert!(
            other.contains("has the issuer B, and the lock has A"),
            "{other}"
        );
    }
    let both = objections("ghcr.io/org/a:1.0", "B", Some(1));
    assert!(
        both.contains("issuer") && both.contains("higher revision"),
        "{both}"
    );
}

fn identity(subject: &str) -> LockedIdentity {
    LockedIdentity {
        issuer: "https://issuer.example".to_owned(),
        subject: subject.to_owned(),
        root: LockedRoot::Public,
    }
}

fn signed(name: &str, subject: Option<&str>) -> Locked {
    Locked {
        identity: subject.map(identity),
        ..locked(name, name)
    }
}

#[test]
fn a_lock_with_an_identity_has_a_version_that_older_programs_refuse() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("par.lock");
    let lock = two().with(signed("ghcr.io/org/a:1.0", Some("dev@example.com")));
    lock.write(&path).unwrap();
    assert_eq!(Lock::read(&path).unwrap(), lock);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\nversion = 2\n"), "{text}");
    let (_, reason) = problem(&text.replace("version = 2", "version = 1"));
    assert!(reason.contains("has no identities"), "{reason}");
    let (_, reason) = problem(&text.replace("root = \"public\"", "root = \"publik\""));
    assert!(reason.contains("publik"), "{reason}");
    two().write(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\nversion = 1\n"), "{text}");
}

#[test]
fn an_identity_that_changes_or_goes_is_like_an_issuer_that_changes() {
    let (one, other) = (Some("one@example.com"), Some("other@example.com"));
    let (name, next) = ("ghcr.io/org/a:1.0", "ghcr.io/org/a:2.0");
    let objections = |known: Option<&str>, next: Locked| {
        let lock: Lock = [signed(name, known)].into_iter().collect();
        let found = lock.objections(&next);
        let texts = found.iter().map(ToString::to_string);
        texts.collect::<Vec<_>>().join("; ")
    };
    for (known, now) in [(one, one), (None, one), (None, None)] {
        assert_eq!(objections(known, signed(name, now)), "");
        assert_eq!(objections(known, signed(next, now)), "");
    }
    for name in [name, next] {
        let changed = objections(one, signed(name, other));
        assert!(changed.contains("has the identity other@"), "{changed}");
        assert!(changed.contains("the lock has one@"), "{changed}");
        let gone = objections(one, signed(name, None));
        assert!(gone.contains("has no identity"), "{gone}");
        assert!(gone.contains("the lock has one@"), "{gone}");
    }
}

#[test]
fn an_entry_of_another_provider_in_the_repository_does_not_excuse_a_lost_identity() {
    let other = Locked {
        subject: "W".to_owned(),
        ..signed("ghcr.io/org/a:other-1", None)
    };
    let one = signed("ghcr.io/org/a:1.0", Some("one@example.com"));
    let lock: Lock = [other.clone(), one].into_iter().collect();
    let texts = |next: Locked| {
        let found = lock.objections(&next);
        let texts = found.iter().map(ToString::to_string);
        texts.collect::<Vec<_>>().join("; ")
    };
    let gone = texts(signed("ghcr.io/org/a:2.0", None));
    assert!(gone.contains("has no identity"), "{gone}");
    let next = Locked {
        subject: "W".to_owned(),
        ..signed("ghcr.io/org/a:other-2", None)
    };
    assert_eq!(texts(next), "");
}

#[test]
fn of_several_entries_with_a_digest_one_with_an_identity_counts() {
    for identified in ["ghcr.io/org/a:1", "ghcr.io/org/a:2", "ghcr.io/org/a:3"] {
        let names = ["ghcr.io/org/a:1", "ghcr.io/org/a:2", "ghcr.io/org/a:3"];
        let lock = names.into_iter().map(|name| Locked {
            identity: (name == identified).then(|| identity("dev@acme.test")),
            ..locked(name, "content")
        });
        let lock: Lock = lock.collect();
        let pinned = lock.pinned(&reference("ghcr.io/org/a:2")).unwrap();
        assert_eq!(lock.find(&pinned).unwrap().reference, reference(identified));
        assert!(lock.identity(&pinned).is_some());
    }
}
