//! Limits on the size of requests, in front of a registry.

use super::{always, proxy, push};
use crate::support::proxy::{Fault, Rule};

/// Refuses requests of more than this many bytes: with 413, or by breaking the connection.
fn limit(bytes: u64, answers: bool) -> Vec<Rule> {
    let rule =
        |method| Rule::on(method, "/blobs/uploads/", Fault::Limit { bytes, answers }).always();
    ["PUT", "PATCH"].map(rule).into()
}

#[test]
fn a_blob_above_the_limit_of_a_proxy_is_sent_in_smaller_chunks() {
    for bytes in [5 << 20, 1 << 20, 512 << 10] {
        let proxy = proxy(limit(bytes, true));
        push(&proxy, 6 << 20).success();
        let patches = proxy.seen("PATCH", "/blobs/uploads/");
        assert!(patches.iter().all(|seen| seen.up <= bytes), "{patches:?}");
    }
}

#[test]
fn a_limit_that_only_breaks_the_connection_is_recognized() {
    let proxy = proxy(limit(1 << 20, false));
    push(&proxy, 3 << 20).success();
}

#[test]
fn a_limit_below_the_smallest_chunk_is_reported_soon() {
    let proxy = proxy(limit(1000, true));
    let refused = push(&proxy, 6 << 20).exit(1);
    assert!(
        refused
            .stderr
            .contains("262144 bytes in one request are too large"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("in front of the registry"),
        "{refused}"
    );
    assert!(refused.stderr.contains("client_max_body_size"), "{refused}");
    assert!(proxy.seen("PATCH", "").len() <= 9, "{refused}");
    let cancelled = proxy.seen("DELETE", "/blobs/uploads/").len();
    assert!(cancelled >= 4, "{cancelled} of {refused}");
}

#[test]
fn the_smallest_chunk_that_a_registry_asks_for_is_respected() {
    let smallest = Fault::edit(|answer| answer.set("oci-chunk-min-length", 2 << 20));
    let mut rules = limit(1 << 20, true);
    rules.push(Rule::on("POST", "/blobs/uploads/", smallest).always());
    let proxy = proxy(rules);
    let refused = push(&proxy, 6 << 20).exit(1);
    assert!(
        refused.stderr.contains("2097152 bytes in one request"),
        "{refused}"
    );
}

#[test]
fn a_limit_without_chunks_is_reported_with_the_size_of_the_blob() {
    let mut rules = limit(1 << 20, true);
    rules.insert(
        0,
        always("PATCH", "/blobs/uploads/", "405 Method Not Allowed"),
    );
    let refused = push(&proxy(rules), 3 << 20).exit(1);
    assert!(
        refused
            .stderr
            .contains("bytes in one request are too large"),
        "{refused}"
    );
}
