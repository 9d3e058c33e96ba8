use std::time::SystemTime;

use crate::archive::{
    ArchiveWriter, Compression, Input, Key, KeyKind, Limits, Metadata, Signer, Subject, Target,
    verify,
};
use crate::content::{Silent, unix_time};

use super::*;

/// Accounts that publish one provider.
struct Provider {
    subject: Subject,
    accounts: [Key; 3],
}

impl Provider {
    fn new() -> Self {
        let subject = Key::generate(KeyKind::Service).public_key();
        Self {
            subject: subject.parse().unwrap(),
            accounts: [(); 3].map(|()| Key::generate(KeyKind::Account)),
        }
    }

    fn account(&self, index: usize) -> String {
        self.accounts[index].public_key()
    }

    fn claims(&self, account: usize) -> VerifiedClaims {
        let mut writer = ArchiveWriter::new(Metadata::default());
        writer.executable(Target::host(), Input::Bytes(b"executable"[..].into()));
        let signer = Signer::new(self.accounts[account].clone(), self.subject.clone()).unwrap();
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let plain = Compression::None;
        writer.write(&path, &signer, plain, &Silent).unwrap();
        let file = std::fs::File::open(&path).unwrap();
        verify(file, &Limits::default()).unwrap().claims
    }

    fn statement(&self, [from, to]: [usize; 2], retire: bool, date: u64) -> Rotation {
        let to = self.account(to).parse().unwrap();
        let providers = [self.subject.clone()];
        let date: SystemTime = unix_time(date);
        Rotation::sign(&self.accounts[from], &to, &providers, retire, date).unwrap()
    }

    fn pin(&self, account: usize) -> Pin {
        Pin::new(&self.account(account), self.subject.as_str())
    }
}

#[test]
fn a_pin_follows_one_statement_after_the_other() {
    let provider = Provider::new();
    let first = provider.statement([0, 1], false, 5);
    let second = provider.statement([1, 2], true, 6);
    let (claims, later) = (provider.claims(1), provider.claims(2));
    let pin = follow(&provider.pin(0), &claims, &first).unwrap();
    assert_eq!(pin.issuer, provider.account(1));
    assert!(pin.allows_issuer(&provider.account(0)));
    let pin = follow(&pin, &later, &second).unwrap();
    assert_eq!(pin.issuer, provider.account(2));
    assert!(pin.allows_issuer(&provider.account(0)));
    assert!(!pin.allows_issuer(&provider.account(1)));
    // A pin does not follow a chain of statements, or the statement of an account that it does not name.
    assert_eq!(follow(&provider.pin(0), &later, &second), None);
    assert_eq!(follow(&provider.pin(2), &claims, &first), None);
}

#[test]
fn an_older_statement_undoes_nothing() {
    let provider = Provider::new();
    let (claims, back) = (provider.claims(1), provider.claims(0));
    let retired = provider.statement([0, 1], true, 7);
    let pin = follow(&provider.pin(0), &claims, &retired).unwrap();
    for older in [
        provider.statement([0, 1], false, 6),
        provider.statement([0, 1], true, 6),
    ] {
        assert_eq!(follow(&pin, &claims, &older), None);
    }
    let replayed = provider.statement([1, 0], false, 6);
    assert_eq!(follow(&pin, &back, &replayed), None);
    // The retired account cannot hand over again.
    let again = provider.statement([0, 2], false, 9);
    assert_eq!(follow(&pin, &provider.claims(2), &again), None);
    // The new account may hand back.
    let newer = provider.statement([1, 0], false, 8);
    let pin = follow(&pin, &back, &newer).unwrap();
    assert_eq!(pin.issuer, provider.account(0));
    assert!(pin.allows_issuer(&provider.account(1)));
    // The statement by which the account retired is now older than the followed one.
    assert_eq!(follow(&pin, &claims, &retired), None);
}
