//! Trust policies and pins.

mod pins;
mod policies;

use std::fs;
use std::path::PathBuf;

use nkeys::KeyPair;

use super::text;
use crate::support::archives::ArchiveBuilder;
use crate::support::{Environment, Outcome, Registry};

/// A registry, and a user who reaches it as `registry.test`, which is not on this machine.
struct Site {
    environment: Environment,
    registry: Registry,
}

impl Site {
    fn new() -> Self {
        let site = Self {
            environment: Environment::new(),
            registry: Registry::start(),
        };
        let server = format!("server = \"http://{}\"", site.registry.address());
        site.configure("hosts/registry.test/hosts.toml", &server);
        site
    }

    /// Writes a file of the user's configuration.
    fn configure(&self, name: &str, content: &str) -> PathBuf {
        let folder = self.environment.home().join(".config/wasmcloud-par");
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Pushes an archive without the trust policy. Returns its reference by digest.
    fn push(&self, reference: &str, archive: ArchiveBuilder) -> String {
        let file = self.environment.write("pushed.par", archive.build());
        let nobodys = self.environment.write("nobodys.toml", "");
        let push = ["push", reference, text(&file), "--change-identity"];
        let options = ["--trust", text(&nobodys)];
        let pushed = self.environment.par([&push[..], &options].concat());
        let pushed = pushed.success();
        pushed.line().to_owned()
    }

    fn fetch(&self, reference: &str, options: &[&str]) -> Outcome {
        let fetch = ["fetch", reference, "--target", "x86_64-linux"];
        self.environment.par([&fetch[..], options].concat())
    }

    /// Returns the file of the pin of `registry.test/REPOSITORY`.
    fn pin(&self, repository: &str) -> PathBuf {
        let identities = ".cache/wasmcloud-par/v1/identities/registry.test";
        let folder = self.environment.home().join(identities);
        folder.join(repository).join("_identity")
    }
}

/// A publisher: the keys of an account and of a service.
struct Publisher {
    account: KeyPair,
    service: KeyPair,
}

impl Publisher {
    fn new() -> Self {
        Self {
            account: KeyPair::new_account(),
            service: KeyPair::new_service(),
        }
    }

    fn issuer(&self) -> String {
        self.account.public_key()
    }

    fn subject(&self) -> String {
        self.service.public_key()
    }

    /// Returns an archive of this publisher with revision 7.
    fn archive(&self) -> ArchiveBuilder {
        let (account, service) = (self.account.clone(), self.service.clone());
        ArchiveBuilder::two_targets().keys(account, service)
    }

    /// Returns an archive of this publisher with this revision.
    fn revision(&self, revision: Option<i32>) -> ArchiveBuilder {
        self.archive().wascap(move |wascap| {
            match revision {
                Some(revision) => wascap.insert("rev".to_owned(), revision.into()),
                None => wascap.remove("rev"),
            };
        })
    }
}
