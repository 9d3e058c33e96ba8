//! `PullPolicy::Never`: reading uses the cache only. Layouts and deletions work as with every policy.

use wasmcloud_par::client::PullPolicy;
use wasmcloud_par::content::ErrorKind;
use wasmcloud_par::oci::Reference;

use super::{block_on, client, push, small};
use crate::support::{Environment, Registry};

fn layout(environment: &Environment, name: &str) -> Reference {
    let path = environment.path(name);
    format!("oci-layout://{}:1", path.display())
        .parse()
        .unwrap()
}

#[test]
fn an_image_layout_is_copied_tagged_and_listed() {
    let environment = Environment::new();
    let file = small(&environment, "provider.par");
    let (from, to) = (layout(&environment, "from"), layout(&environment, "to"));
    let pushed = push(&environment, &from.to_string(), &file);
    let client = client(&environment.path("cache")).with_pull_policy(PullPolicy::Never);
    block_on(async {
        let copied = client.copy(&from, &to).await.unwrap();
        assert_eq!(copied.digest.to_string(), pushed);
        let tagged = client.tag(&to, "2").await.unwrap();
        assert_eq!(tagged.digest.to_string(), pushed);
        assert_eq!(client.tags(&to).await.unwrap(), ["1", "2"]);
    });
}

#[test]
fn an_artifact_of_a_registry_is_copied_from_the_cache_and_nothing_is_asked() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let text = registry.reference("provider:1");
    let pushed = push(&environment, &text, &file);
    let from: Reference = text.parse().unwrap();
    let online = client(&environment.path("cache"));
    let never = online.with_pull_policy(PullPolicy::Never);
    block_on(async {
        let to = layout(&environment, "to");
        let before = registry.requests().len();
        let error = never.copy(&from, &to).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        let error = never.tags(&from).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        assert_eq!(registry.requests().len(), before);

        let pulled = environment.path("pulled.par");
        online.pull(&from, Some(&pulled), None).await.unwrap();
        let before = registry.requests().len();
        let copied = never.copy(&from, &to).await.unwrap();
        assert_eq!(copied.digest.to_string(), pushed);
        assert_eq!(registry.requests().len(), before);
    });
}

#[test]
fn a_manifest_of_a_registry_is_deleted_as_with_every_policy() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "provider.par");
    let text = registry.reference("provider:1");
    push(&environment, &text, &file);
    let Reference::Registry(place) = text.parse().unwrap() else {
        panic!("{text} is in a registry")
    };
    let client = client(&environment.path("cache")).with_pull_policy(PullPolicy::Never);
    block_on(async {
        let deletion = client.deletion(&place).await.unwrap();
        assert_eq!(deletion.tags, ["1"]);
        client.delete(&deletion).await.unwrap();
    });
}
