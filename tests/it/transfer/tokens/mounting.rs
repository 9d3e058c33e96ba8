//! Mounting a blob from another repository, which requires permission for both.

use bytes::Bytes;
use wasmcloud_par::content::Descriptor;
use wasmcloud_par::content::internals::{Mount, Push};
use wasmcloud_par::oci::RegistryOptions;
use wasmcloud_par::oci::internals::{Registries, Repository};

use super::*;

fn repository(reference: &str) -> Repository {
    let Ok(Reference::Registry(reference)) = reference.parse() else {
        panic!("{reference} is in a registry")
    };
    let mut options = RegistryOptions::default();
    options.credentials = credentials();
    Registries::new(options).unwrap().repository(&reference)
}

#[test]
fn a_mount_requests_a_token_for_both_repositories_and_without_permission_the_blob_is_sent() {
    let service = TokenService::start(Rules::default());
    let registry = service.registry();
    let content = Bytes::from_static(b"content");
    let blob = Descriptor::of("application/octet-stream", &content);
    let place = registry.reference("from/provider");
    block_on(async {
        let from = repository(&format!("{place}:1"));
        from.put_blob(&blob, &content).await.unwrap();
        for (name, may, sent) in [
            ("to/allowed", &[("*", "pull,push")] as &[_], 1),
            ("to/forbidden", &[("to/*", "pull,push")], 2),
        ] {
            service.change(|rules| rules.users[0].may = may);
            let to = repository(&registry.reference(&format!("{name}:1")));
            to.mount_blob(&blob, "from/provider", &content)
                .await
                .unwrap();
            let last = service.asked().pop().unwrap();
            let expected = [
                format!("repository:{name}:pull,push"),
                "repository:from/provider:pull".to_owned(),
            ];
            assert_eq!(last.scopes, expected);
            let requests = registry.requests();
            let puts = requests.iter().filter(|line| line.starts_with("PUT "));
            assert_eq!(puts.count(), sent, "{name}: {requests:#?}");
        }
    });
}
