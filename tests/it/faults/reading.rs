//! Pulls and fetches over bad networks.

use std::time::{Duration, Instant, SystemTime};

use wasmcloud_par::archive::Target;
use wasmcloud_par::content::ErrorKind;

use super::table::{Case, Transfer, run};
use super::{block_on, client, parse, pushed, sample};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::shared_registry;

const READS: [Transfer; 2] = [Transfer::Pull, Transfer::Fetch];

/// Makes the first request for the archive meet a fault.
fn first(fault: Fault) -> Rule {
    Rule::on("GET", &sample().hex(), fault)
}

/// Makes the second request for the archive meet a fault.
fn second(fault: Fault) -> Rule {
    first(fault).after(1)
}

#[test]
fn an_interrupted_download_continues_where_it_was() {
    let size = sample().size();
    let mut cases = Vec::new();
    let positions = [0, 1, 4096, 100_000, size / 2, size * 9 / 10, size - 1];
    for at in positions {
        for fault in [Fault::CutAnswer(at), Fault::EndAnswer(at)] {
            let name = format!("{fault:?}");
            cases.push(Case::again(name, 0.15, vec![first(fault)]));
        }
    }
    for at in [0, size * 9 / 10] {
        let fault = Fault::StallAnswer(at);
        let name = format!("{fault:?}");
        cases.push(Case::again(name, 0.15, vec![first(fault)]));
    }
    let tenth = first(Fault::CutAnswer(size / 9)).times(8);
    cases.push(Case::again("cut again and again", 0.15, vec![tenth]));
    let stalled = first(Fault::StallRequest(0));
    cases.push(Case::again("no answer", 0.15, vec![stalled]));
    block_on(run(&READS, sample(), cases));
}

#[test]
fn wrong_answers_to_ranges_cause_a_restart_and_no_wrong_bytes() {
    let size = sample().size();
    let cut = || first(Fault::CutAnswer(size * 9 / 10));
    let shifted = Fault::edit(|answer| answer.set("content-range", "bytes 0-1/2"));
    let ignored = Fault::Edit(|request| request.remove("range"), |_| {});
    let cases = vec![
        Case::again("wrong Content-Range", 1.0, vec![cut(), second(shifted)]),
        Case::again("200 for a range", 1.0, vec![cut(), second(ignored.clone())]),
        Case::again(
            "200 for every range, cut in between",
            2.0,
            vec![
                cut(),
                first(Fault::CutAnswer(size / 2)).after(1),
                first(ignored).after(2),
            ],
        ),
        Case::again("416", 1.0, vec![cut(), second(Fault::status("416 No"))]),
        Case::again(
            "another name for the content",
            1.0,
            vec![
                cut(),
                second(Fault::Edit(
                    |request| request.set("if-range", "\"another\""),
                    |_| {},
                )),
            ],
        ),
    ];
    block_on(run(&READS, sample(), cases));
}

#[test]
fn wrong_bytes_are_received_again_and_never_handed_out() {
    let size = sample().size();
    let cases = vec![
        Case::again("one byte", 1.0, vec![first(Fault::FlipAnswer(size / 2))]),
        Case::again(
            "one byte behind a cut",
            1.0,
            vec![
                first(Fault::CutAnswer(size / 2)),
                second(Fault::FlipAnswer(100)),
            ],
        ),
        Case::fails(
            "one byte, always",
            ErrorKind::NotVerified,
            vec![first(Fault::FlipAnswer(size / 2)).always()],
        ),
        Case::again("too short", 1.0, vec![first(Fault::ShortAnswer(size / 2))]),
        Case::fails(
            "too short, always",
            ErrorKind::NotVerified,
            vec![first(Fault::ShortAnswer(size / 2)).always()],
        ),
        Case::fails(
            "longer than its descriptor",
            ErrorKind::NotVerified,
            vec![first(Fault::LongAnswer(10)).always()],
        ),
        Case::fails(
            "a manifest of 300 MB",
            ErrorKind::NotVerified,
            vec![Rule::on("GET", "/manifests/", Fault::Endless(300_000_000)).always()],
        ),
    ];
    block_on(run(&READS, sample(), cases));
}

#[test]
fn a_request_is_repeated_after_an_outage_and_not_after_a_refusal() {
    let mut cases = Vec::new();
    for status in ["408 A", "429 B", "500 C", "502 D", "503 E", "504 F"] {
        let rules = [
            ("HEAD", "/manifests/"),
            ("GET", "/manifests/"),
            ("GET", "/blobs/"),
        ];
        let rules = rules.map(|(method, path)| Rule::on(method, path, Fault::status(status)));
        let rules = rules.into_iter().map(|rule| rule.times(3)).collect();
        cases.push(Case::again(format!("{status} three times"), 0.0, rules));
    }
    for (status, kind) in [
        ("503 Always", ErrorKind::Unavailable),
        ("404 Not Found", ErrorKind::NotFound),
        ("403 Forbidden", ErrorKind::Denied),
        ("401 Unauthorized", ErrorKind::Denied),
    ] {
        let rules = vec![first(Fault::status(status)).always()];
        cases.push(Case::fails(status, kind, rules));
    }
    let stalled = first(Fault::StallRequest(0)).always();
    cases.push(Case::fails(
        "no answer",
        ErrorKind::Unavailable,
        vec![stalled],
    ));
    let cut = first(Fault::CutAnswer(0)).always();
    cases.push(Case::fails("cut", ErrorKind::Unavailable, vec![cut]));
    block_on(run(&READS, sample(), cases));
}

#[test]
fn a_refused_request_is_not_repeated() {
    block_on(async {
        let name = pushed(sample()).await;
        for status in ["404 Not Found", "403 Forbidden", "401 Unauthorized"] {
            let directory = tempfile::tempdir().unwrap();
            let rules = vec![first(Fault::status(status)).always()];
            let proxy = Proxy::to(shared_registry(), rules);
            let reference = parse(&proxy.reference(&name));
            let client = client(directory.path());
            client.fetch(&reference, &Target::host()).await.unwrap_err();
            assert_eq!(proxy.seen("GET", "/blobs/").len(), 1, "{status}");
        }
    });
}

#[test]
fn the_client_waits_as_long_as_the_registry_asks_up_to_a_limit() {
    block_on(async {
        let name = pushed(sample()).await;
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
        for wait in ["1", &date, "3600"] {
            let directory = tempfile::tempdir().unwrap();
            let refusal = Fault::answer("429 Too Many Requests", "retry-after", wait);
            let proxy = Proxy::to(shared_registry(), vec![first(refusal)]);
            let reference = parse(&proxy.reference(&name));
            let client = client(directory.path());
            let started = Instant::now();
            let fetched = client.fetch(&reference, &Target::host()).await;
            let took = started.elapsed();
            // The upper limit is for a busy machine.
            assert!(took < Duration::from_mins(1), "{wait}: {took:?}");
            match fetched {
                Ok(_) if wait == "1" => assert!(took >= Duration::from_secs(1), "{took:?}"),
                Ok(_) => {
                    assert_eq!(wait, date);
                    assert!(SystemTime::now() >= httpdate::parse_http_date(wait).unwrap());
                }
                Err(error) => {
                    assert!(wait == "3600", "{error:?}");
                    assert_eq!(error.kind(), ErrorKind::Unavailable);
                    let text = format!("{:#}", anyhow::Error::new(error));
                    assert!(text.contains("3600"), "{text}");
                }
            }
        }
    });
}

#[test]
fn an_error_describes_all_attempts_in_one_line() {
    block_on(async {
        let name = pushed(sample()).await;
        let directory = tempfile::tempdir().unwrap();
        let rules = vec![first(Fault::status("503 Service Unavailable")).always()];
        let proxy = Proxy::to(shared_registry(), rules);
        let reference = parse(&proxy.reference(&name));
        let client = client(directory.path());
        let error = client.fetch(&reference, &Target::host()).await.unwrap_err();
        let text = format!("{:#}", anyhow::Error::new(error));
        assert!(text.contains("gave up after "), "{text}");
        assert!(text.contains(" attempts in "), "{text}");
        assert!(text.contains("HTTP 503, Service Unavailable"), "{text}");
        assert!(!text.contains('\n'));
    });
}
