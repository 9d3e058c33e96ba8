//! `Fetched::freshness`: whether the registry or the cache answered, and when.

use std::time::SystemTime;

use wasmcloud_par::client::{Client, Freshness, PullPolicy};

use super::{fetch, options, publish};
use crate::support::{Environment, Registry, block_on};

#[test]
fn a_fetch_returns_when_its_tag_was_confirmed() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("x:1");
    block_on(async {
        let digest = publish(&environment, &reference).await;
        let client = Client::new(options(&environment)).unwrap();
        let before = SystemTime::now();
        let first = fetch(&client, &reference).await.unwrap().freshness;
        let Freshness::Confirmed { at } = first else {
            panic!("{first:?}");
        };
        assert!(before <= at && at <= SystemTime::now());
        let second = fetch(&client, &reference).await.unwrap().freshness;
        assert!(matches!(second, Freshness::Confirmed { at: again } if again >= at));
        let asked = second.confirmed().unwrap();

        let pinned = format!("{reference}@{digest}");
        let fixed = fetch(&client, &pinned).await.unwrap().freshness;
        assert_eq!(fixed, Freshness::Fixed);

        for policy in [PullPolicy::Never, PullPolicy::Missing { max_age: None }] {
            let client = client.with_pull_policy(policy);
            let cached = fetch(&client, &reference).await.unwrap().freshness;
            assert_eq!(cached, Freshness::Cached { confirmed: asked });
        }

        let address = registry.address().to_owned();
        drop(registry);
        let stale = fetch(&client, &reference).await.unwrap().freshness;
        let Freshness::Stale { confirmed, reason } = &stale else {
            panic!("{stale:?}");
        };
        assert_eq!(*confirmed, asked);
        assert!(reason.contains(&address), "{reason}");
        assert!(stale.is_stale() && !second.is_stale());
    });
}
