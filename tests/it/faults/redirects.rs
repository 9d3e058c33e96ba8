//! Redirects to storage, and mounts from other repositories.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use wasmcloud_par::archive::Target;
use wasmcloud_par::content::Descriptor;
use wasmcloud_par::content::internals::{Fetch, Mount, Push};
use wasmcloud_par::oci::internals::{Registries, Repository};
use wasmcloud_par::oci::{CredentialSource, Reference, RegistryOptions};

use super::{Sample, block_on, client_with, parse};
use crate::support::archives::noise;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Registry, shared_registry, unique};

const USER: (&str, &str) = ("jane", "password");

fn credentials() -> CredentialSource {
    CredentialSource::default()
        .explicit(USER.0, USER.1)
        .registry_config("/nonexistent")
}

#[test]
fn storage_gets_no_credentials_and_an_expired_address_is_requested_again() {
    block_on(async {
        let sample = Sample::new(1 << 20, 1);
        let registry = Registry::builder().htpasswd(USER.0, USER.1).start();
        let directory = tempfile::tempdir().unwrap();
        let client = client_with(directory.path(), credentials(), Duration::from_secs(5));
        let file = directory.path().join("provider.par");
        std::fs::write(&file, &sample.archive).unwrap();
        let reference = parse(&registry.reference("provider:1.0.0"));
        let pushed = client.push(&file, &reference, &BTreeMap::new()).await;
        pushed.unwrap();

        // Storage with signed addresses serves the content without a password. The transfer is interrupted, and
        // the address has expired then.
        let storage = Registry::builder().storage(registry.storage()).start();
        let hex = sample.hex();
        let storage = Proxy::start(
            &storage,
            vec![
                Rule::on("GET", &hex, Fault::CutAnswer(sample.size() * 9 / 10)),
                Rule::on("GET", &hex, Fault::status("403 Forbidden")),
            ],
        );
        let place = format!(
            "http://{}/v2/provider/blobs/sha256:{hex}?signature=secret",
            storage.address()
        );
        let redirect = Fault::answer("307 Temporary Redirect", "location", place);
        let proxy = Proxy::start(&registry, vec![Rule::on("GET", &hex, redirect).times(3)]);
        let reference = parse(&proxy.reference("provider:1.0.0"));
        let fetched = client.fetch(&reference, &Target::host()).await.unwrap();
        assert_eq!(std::fs::read(fetched.path).unwrap(), sample.executable);

        let seen = storage.seen("GET", &hex);
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|seen| !seen.authorized));
        assert!(seen[2].down <= sample.size() * 15 / 100, "{seen:?}");
        assert!(proxy.seen("GET", &hex).iter().all(|seen| seen.authorized));
    });
}

fn repository(reference: &str) -> Repository {
    let Reference::Registry(reference) = parse(reference) else {
        panic!("{reference} is in a registry")
    };
    let registries = Registries::new(RegistryOptions::default()).unwrap();
    registries.repository(&reference)
}

#[test]
fn a_blob_of_another_repository_is_mounted_or_else_sent() {
    block_on(async {
        let content = Bytes::from(noise(1 << 20, 2));
        let blob = Descriptor::of("application/octet-stream", &content);
        let other = unique("mount-from");
        let there = repository(&format!("{}/{other}:1", shared_registry()));
        there.put_blob(&blob, &content).await.unwrap();
        let mount = Rule::on("POST", "mount=", Fault::None);
        let unknown = Fault::Edit(
            |request| request.replace_target("mount=sha256", "x=y"),
            |_| {},
        );
        for (name, rule, sent) in [
            ("mounted", mount, 0),
            // A registry that does not mount opens an upload.
            ("202", Rule::on("POST", "mount=", unknown), 1),
            (
                "405",
                Rule::on("POST", "mount=", Fault::status("405 No")),
                1,
            ),
        ] {
            let proxy = Proxy::to(shared_registry(), vec![rule]);
            let here = repository(&proxy.reference(&format!("{}:1", unique("mount-to"))));
            here.mount_blob(&blob, &other, &content).await.unwrap();
            assert!(here.open(&blob, None).await.is_ok(), "{name}");
            assert_eq!(proxy.seen("PUT", "/blobs/uploads/").len(), sent, "{name}");
        }
    });
}
