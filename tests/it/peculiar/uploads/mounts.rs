//! Registries that do not mount, whatever they answer.

use bytes::Bytes;
use wasmcloud_par::content::Descriptor;
use wasmcloud_par::content::internals::{Fetch, Mount};
use wasmcloud_par::oci::internals::{Registries, Repository};
use wasmcloud_par::oci::{CredentialSource, Reference, RegistryOptions};

use crate::support::archives::noise;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{block_on, shared_registry, unique};

fn repository(reference: &str) -> Repository {
    let Ok(Reference::Registry(reference)) = reference.parse() else {
        panic!("{reference} is in a registry")
    };
    let mut options = RegistryOptions::default();
    options.credentials = CredentialSource::default().registry_config("/nonexistent");
    Registries::new(options).unwrap().repository(&reference)
}

#[test]
fn a_mount_that_fails_is_followed_by_an_upload_at_once() {
    let content = Bytes::from(noise(100_000, 11));
    let blob = Descriptor::of("application/octet-stream", &content);
    let answers = [
        Fault::status("500 Internal Server Error"),
        Fault::status("502 Bad Gateway"),
        Fault::status("503 Service Unavailable"),
        Fault::status("400 Bad Request"),
        Fault::status("401 Unauthorized"),
        Fault::status("403 Forbidden"),
        Fault::status("404 Not Found"),
        Fault::status("405 Method Not Allowed"),
        Fault::status("201 Created"),
        Fault::status("202 Accepted"),
        Fault::answer("302 Found", "location", "/elsewhere"),
        Fault::answer("202 Accepted", "location", "http://registry:5000/v2/x"),
        Fault::LoseAnswer,
    ];
    for fault in answers {
        let rule = Rule::on("POST", "mount=", fault.clone()).always();
        let proxy = Proxy::to(shared_registry(), vec![rule]);
        block_on(async {
            let to = repository(&proxy.reference(&format!("{}:1", unique("mounts"))));
            to.mount_blob(&blob, "org/nothing", &content).await.unwrap();
            assert!(to.open(&blob, None).await.is_ok(), "{fault:?}");
        });
        assert_eq!(proxy.seen("POST", "mount=").len(), 1, "{fault:?}");
        assert_eq!(proxy.seen("PUT", "/blobs/uploads/").len(), 1, "{fault:?}");
    }
}
