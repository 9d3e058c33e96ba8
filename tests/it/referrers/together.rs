//! Clients that change one list of referrers at the same time.

use std::sync::{Arc, Barrier};
use std::thread;

use super::{
    SIGNATURE, attach, image, list_tag, manifest, referrers, referring, repository, sorted,
};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Outcome, Registry, block_on};

#[test]
fn a_client_whose_entry_another_one_has_overwritten_adds_it_again() {
    let registry = Registry::start();
    let name = "org/x";
    let direct = repository(registry.address(), name);
    let subject = image(&direct, "archive", Some("1"));
    // Both clients have read the list when the first of them writes it.
    let both = Fault::Together(Arc::new(Barrier::new(2)));
    let path = format!("/manifests/{}", list_tag(&subject.digest));
    let rules = vec![Rule::on("PUT", &path, both).times(2)];
    let proxy = Proxy::start(&registry, rules);
    let attached = thread::scope(|scope| {
        let clients = ["one", "two"].map(|layer| {
            let repository = repository(proxy.address(), name);
            let subject = &subject;
            scope.spawn(move || attach(&repository, subject, SIGNATURE, layer))
        });
        clients.map(|client| client.join().unwrap())
    });
    assert!(proxy.seen("PUT", &path).len() > 2);
    assert_eq!(referrers(&direct, &subject.digest), sorted(&attached));
}

#[test]
fn eight_processes_that_add_referrers_at_the_same_time_lose_none() {
    let environment = Environment::new();
    let registry = Registry::start();
    let from = repository(registry.address(), "org/from");
    let subject = image(&from, "archive", Some("1"));
    let tags = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let attached = tags.map(|tag| {
        let document = referring(&from, &subject, SIGNATURE, tag);
        manifest(&from, &document, Some(tag))
    });
    let to = repository(registry.address(), "org/to");
    image(&to, "archive", Some("1"));
    let copies = tags.map(|tag| {
        let mut command = environment.command();
        let from = registry.reference(&format!("org/from:{tag}"));
        let to = registry.reference(&format!("org/to:{tag}"));
        command.args(["copy", &from, &to]);
        command
    });
    thread::scope(|scope| {
        let running = copies.map(|command| scope.spawn(|| Outcome::of(command, b"")));
        for copy in running {
            copy.join().unwrap().success();
        }
    });
    assert_eq!(referrers(&to, &subject.digest), sorted(&attached));
}

#[test]
fn tasks_of_one_process_take_turns() {
    let registry = Registry::start();
    let repository = repository(registry.address(), "org/x");
    let subject = image(&repository, "archive", Some("1"));
    let documents: Vec<_> = (0..20)
        .map(|number| referring(&repository, &subject, SIGNATURE, &number.to_string()))
        .collect();
    let stored = block_on(async {
        let stores = documents.iter().map(async |document| {
            let bytes = bytes::Bytes::from(document.to_string());
            let descriptor = wasmcloud_par::content::Descriptor::of(super::MANIFEST, &bytes);
            use wasmcloud_par::content::internals::Push as _;
            let stored = repository.put_manifest(&descriptor, &bytes, None);
            stored.await.unwrap();
            descriptor
        });
        futures_util::future::join_all(stores).await
    });
    assert_eq!(referrers(&repository, &subject.digest), sorted(&stored));
    // No task has overwritten the entry of another.
    let path = format!("PUT /v2/org/x/manifests/{}", list_tag(&subject.digest));
    let requests = registry.requests();
    let writes = requests.iter().filter(|line| line.starts_with(&path));
    assert_eq!(writes.count(), documents.len());
}
