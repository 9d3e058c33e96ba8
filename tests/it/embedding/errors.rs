//! Errors that a program matches on, whatever other tasks do at the same time.

use futures_util::future::join;
use wasmcloud_par::archive::{Key, KeyKind};
use wasmcloud_par::client::{Client, Error};
use wasmcloud_par::content::ErrorKind;
use wasmcloud_par::oci;
use wasmcloud_par::trust::{Pinning, Rule, TrustError, TrustPolicy};

use super::{fetch, options, publish};
use crate::support::{Environment, Registry, block_on};

#[test]
fn tasks_that_share_a_failure_get_its_cause() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let missing = registry.reference("missing:1");
    block_on(async {
        let client = Client::new(options(&environment)).unwrap();
        let (one, other) = join(fetch(&client, &missing), fetch(&client, &missing)).await;
        for error in [one.unwrap_err(), other.unwrap_err()] {
            // The tasks must share the failure, or this test would show nothing.
            assert!(matches!(error, Error::Shared(_)), "{error:?}");
            assert_eq!(error.kind(), ErrorKind::NotFound);
            let found = matches!(error.as_oci(), Some(oci::Error::NotFound { .. }));
            assert!(found, "{error:?}");
            assert!(!matches!(error.root(), Error::Shared(_)));
        }
        // A task that is alone gets an error that is matched in the same way.
        let alone = fetch(&client, &missing).await.unwrap_err();
        assert!(matches!(alone.as_oci(), Some(oci::Error::NotFound { .. })));
    });
}

#[test]
fn another_publisher_is_noticed_by_every_task() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("x:1");
    block_on(async {
        publish(&environment, &reference).await;
        let rule = Rule::new(registry.address().parse().unwrap()).pinning(Pinning::FirstUse);
        let policy = TrustPolicy::default().with_rule(rule);
        let client = Client::new(options(&environment).trust(policy)).unwrap();
        fetch(&client, &reference).await.unwrap();
        // The second archive is published by another account.
        publish(&environment, &reference).await;
        let (one, other) = join(fetch(&client, &reference), fetch(&client, &reference)).await;
        for error in [one.unwrap_err(), other.unwrap_err()] {
            let changed = matches!(error.as_trust(), Some(TrustError::IdentityChanged { .. }));
            assert!(changed, "{error:?}");
            let root = matches!(
                error.root(),
                Error::Trust(TrustError::IdentityChanged { .. })
            );
            assert!(root, "{error:?}");
        }

        let issuer = Key::generate(KeyKind::Account).public_key();
        let policy = TrustPolicy::default().allow_issuer(&issuer.parse().unwrap());
        let client = Client::new(options(&environment).trust(policy)).unwrap();
        let error = fetch(&client, &reference).await.unwrap_err();
        let untrusted = matches!(error.as_trust(), Some(TrustError::UntrustedIssuer { .. }));
        assert!(untrusted, "{error:?}");
        assert!(error.as_oci().is_none() && error.as_archive().is_none());
    });
}

#[test]
fn an_outage_is_the_error_of_the_last_attempt() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("x:1");
    drop(registry);
    block_on(async {
        let mut with = options(&environment);
        with.registry.retry.patience = std::time::Duration::from_secs(1);
        let client = Client::new(with).unwrap();
        let error = client
            .resolve(&reference.parse().unwrap())
            .await
            .unwrap_err();
        let away = matches!(error.as_oci(), Some(oci::Error::Unreachable { .. }));
        assert!(away, "{error:?}");
    });
}
