//! `prefetch` and `watch`: results that arrive one after the other.

use std::io::Read;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use wasmcloud_par::client::{Client, Error, Outcomes};
use wasmcloud_par::content::ErrorKind;

use super::{answers, fetch, options, parsed, publish, target};
use crate::support::{Answer, Environment, LIMIT, Registry, Server, block_on, wait_until};

const SOON: Duration = Duration::from_millis(100);

fn client(environment: &Environment) -> Client {
    Client::new(options(environment)).unwrap()
}

#[test]
fn prefetched_results_arrive_when_each_fetch_ends_and_dropping_the_stream_stops_the_rest() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs = format!("{}/x:1", silent.local_addr().unwrap());
    let (sender, closed) = mpsc::channel();
    thread::spawn(move || {
        let (mut connection, _) = silent.accept().unwrap();
        let mut request = [0; 1024];
        // The server does not answer. Reading ends when the client closes the connection.
        while matches!(connection.read(&mut request), Ok(1..)) {}
        sender.send(()).unwrap();
    });
    let references = [
        &hangs,
        &registry.reference("a:1"),
        &registry.reference("b:1"),
    ];
    block_on(async {
        for reference in &references[1..] {
            publish(&environment, reference).await;
        }
        let all = references.map(|reference| parsed(reference));
        let two = NonZeroUsize::new(2).unwrap();
        let mut fetches = client(&environment).prefetch(all.clone(), &target(), two);
        for expected in &all[1..] {
            let (reference, fetched) = fetches.next().await.unwrap();
            assert_eq!(reference, *expected);
            assert!(fetched.unwrap().path.is_file());
        }
        assert!(closed.try_recv().is_err(), "still waiting for an answer");
        drop(fetches);
        closed.recv_timeout(LIMIT).unwrap();
    });
}

#[test]
fn other_operations_get_a_turn_between_prefetched_results() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let references = ["a:1", "b:1", "c:1"].map(|name| registry.reference(name));
    block_on(async {
        for reference in &references {
            publish(&environment, reference).await;
        }
        let all = references.each_ref().map(|reference| parsed(reference));
        let client = Client::new(options(&environment).at_once(NonZeroUsize::MIN)).unwrap();
        // One of these fetches waits for a turn while the caller does not wait for the fetches.
        let mut fetches = client.prefetch(all, &target(), NonZeroUsize::new(3).unwrap());
        while let Some((reference, fetched)) = fetches.next().await {
            fetched.unwrap();
            let destination = environment.path("pulled.par");
            let pulled = client.pull(&reference, Some(&destination), None).await;
            pulled.unwrap();
        }
    });
}

#[test]
fn the_number_of_fetches_at_the_same_time_is_limited() {
    let environment = Environment::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let highest = Arc::clone(&most);
    let server = Server::start(move |_, _| {
        highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Two requests must arrive at the same time, or this test would show nothing.
        wait_until("two requests", || highest.load(Ordering::SeqCst) >= 2);
        now.fetch_sub(1, Ordering::SeqCst);
        Answer::status("404 Not Found")
    });
    block_on(async {
        let names = (0..6).map(|number| parsed(&server.reference(&format!("x{number}:1"))));
        let two = NonZeroUsize::new(2).unwrap();
        let fetches = client(&environment).prefetch(names, &target(), two);
        let kinds: Vec<_> = fetches
            .map(|(_, fetched)| fetched.unwrap_err().kind())
            .collect()
            .await;
        assert_eq!(kinds, [ErrorKind::NotFound; 6]);
    });
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

/// Waits for the next result, without those that `skips` matches.
async fn next<T>(outcomes: &mut Outcomes<T>, skips: impl Fn(&T) -> bool) -> T
where
    T: Send,
{
    loop {
        match outcomes.next().await.unwrap() {
            outcome if skips(&outcome) => {}
            outcome => return outcome,
        }
    }
}

#[test]
fn a_watch_yields_when_a_tag_moves() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("x:1");
    block_on(async {
        let first = publish(&environment, &reference).await;
        let client = client(&environment);
        let mut moves = client.watch(&parsed(&reference), SOON);
        let now = moves.next().await.unwrap().unwrap();
        assert_eq!(now.reference, parsed(&reference));
        assert_eq!((now.from, now.to.to_string()), (None, first.clone()));

        // The registry says that nothing has changed, and nothing is yielded then.
        let mut waiting = moves.next();
        while answers(&registry, 304) < 2 {
            let soon = tokio::time::timeout(SOON, &mut waiting).await;
            assert!(soon.is_err(), "{soon:?}");
        }
        drop(waiting);
        let second = publish(&environment, &reference).await;
        let moved = moves.next().await.unwrap().unwrap();
        let from = moved.from.unwrap().to_string();
        assert_eq!((from, moved.to.to_string()), (first, second.clone()));
        let fetched = fetch(&client, &reference).await.unwrap();
        assert_eq!(fetched.digest.to_string(), second);
    });
}

#[test]
fn a_watch_goes_on_after_errors() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let reference = registry.reference("x:1");
    block_on(async {
        let client = client(&environment);
        let mut moves = client.watch(&parsed(&reference), SOON);
        for _ in 0..2 {
            let error = moves.next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        let first = publish(&environment, &reference).await;
        let moved = next(&mut moves, Result::is_err).await.unwrap();
        assert_eq!((moved.from, moved.to.to_string()), (None, first.clone()));

        let tags = "docker/registry/v2/repositories/x/_manifests/tags/1";
        std::fs::remove_dir_all(registry.storage().join(tags)).unwrap();
        let error = moves.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let second = publish(&environment, &reference).await;
        let moved = next(&mut moves, Result::is_err).await.unwrap();
        assert_eq!(moved.from.unwrap().to_string(), first);
        assert_eq!(moved.to.to_string(), second);
    });
}

#[test]
fn a_watch_of_a_reference_that_cannot_move_ends() {
    let (environment, registry) = (Environment::new(), Registry::start());
    block_on(async {
        let digest = publish(&environment, &registry.reference("x:1")).await;
        let client = client(&environment);
        let pinned = parsed(&registry.reference(&format!("x@{digest}")));
        let mut moves = client.watch(&pinned, SOON);
        assert_eq!(moves.next().await.unwrap().unwrap().to.to_string(), digest);
        assert!(moves.next().await.is_none());

        let mut moves = client.watch(&parsed(&registry.reference("x")), SOON);
        let unnamed = moves.next().await.unwrap();
        assert!(matches!(unnamed, Err(Error::Unnamed(_))));
        assert!(moves.next().await.is_none());
    });
}

#[test]
fn a_layout_is_watched_too() {
    let environment = Environment::new();
    let reference = format!("oci-layout://{}:1", environment.path("layout").display());
    block_on(async {
        let first = publish(&environment, &reference).await;
        let mut moves = client(&environment).watch(&parsed(&reference), SOON);
        assert_eq!(moves.next().await.unwrap().unwrap().to.to_string(), first);
        let second = publish(&environment, &reference).await;
        assert_eq!(moves.next().await.unwrap().unwrap().to.to_string(), second);
    });
}

#[test]
fn a_host_can_spawn_the_streams_of_a_client() {
    fn assert_can_be_spawned<T: Stream + Send + Unpin + 'static>(_: T) {}
    let environment = Environment::new();
    let client = client(&environment);
    assert_can_be_spawned(client.prefetch(Vec::new(), &target(), NonZeroUsize::MIN));
    assert_can_be_spawned(client.watch(&parsed("localhost:1/x:1"), SOON));
}

/// A host keeps a stream of results in a value that its tasks share.
#[test]
fn values_of_the_library_can_be_shared_and_shown() {
    fn is_shared<T: Send + Sync + std::fmt::Debug>() {}
    is_shared::<Client>();
    is_shared::<wasmcloud_par::ClientOptions>();
    is_shared::<Outcomes<Result<(), Error>>>();
}
