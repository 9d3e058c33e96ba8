//! Pushes over bad networks.

use std::collections::BTreeMap;
use std::fs;

use wasmcloud_par::content::ErrorKind;

use super::table::{Case, Transfer, run, transfer};
use super::{Sample, block_on, client, parse, pushed, sample};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::shared_registry;

/// Makes the first upload of the archive meet a fault.
fn upload(fault: Fault) -> Rule {
    Rule::on("PUT", &sample().hex(), fault)
}

fn push(cases: Vec<Case>) {
    block_on(run(&[Transfer::Push], sample(), cases));
}

#[test]
fn an_interrupted_upload_continues_from_what_the_registry_has_kept() {
    let size = sample().size();
    let positions = [2, 4096, size / 2, size * 9 / 10, size - 1];
    let cases = positions.map(|at| {
        let rules = vec![upload(Fault::CutKeptRequest(at))];
        Case::again(format!("cut after {at}"), 0.15, rules)
    });
    let thrice = upload(Fault::CutKeptRequest(size / 4)).times(3);
    let thrice = Case::again("three times", 0.15, vec![thrice]);
    push(cases.into_iter().chain([thrice]).collect());
}

#[test]
fn an_upload_that_the_registry_drops_is_sent_again() {
    // `registry:2` drops the bytes of a request that was interrupted, so that no upload can continue.
    let size = sample().size();
    let mut cases = Vec::new();
    for at in [0, 1, 4096, size / 2, size * 9 / 10, size - 1] {
        for fault in [Fault::CutRequest(at), Fault::StallRequest(at)] {
            let name = format!("{fault:?}");
            cases.push(Case::again(name, 1.0, vec![upload(fault)]));
        }
    }
    let twice = upload(Fault::CutRequest(size / 2)).times(2);
    cases.push(Case::again("twice", 1.2, vec![twice]));
    // The body of a refusal is not awaited without a limit.
    for (method, path, status, kind) in [
        ("POST", "/blobs/", "403 Forbidden", ErrorKind::Denied),
        ("PUT", "/blobs/", "400 Bad Request", ErrorKind::Other),
        ("PUT", "/manifests/", "403 Forbidden", ErrorKind::Denied),
        ("POST", "/blobs/", "503 Always", ErrorKind::Unavailable),
    ] {
        let rules = vec![Rule::on(method, path, Fault::Withhold(status)).always()];
        let name = format!("{method} {path} {status}, withheld");
        cases.push(Case::fails(name, kind, rules));
    }
    push(cases);
}

#[test]
fn a_lost_answer_does_not_repeat_the_upload() {
    let lost = |method, path| vec![Rule::on(method, path, Fault::LoseAnswer)];
    push(vec![
        Case::again("the upload", 0.0, vec![upload(Fault::LoseAnswer)]),
        Case::again("its beginning", 0.0, lost("POST", "/blobs/uploads/")),
        Case::again("the manifest", 0.0, lost("PUT", "/manifests/sha256:")),
        Case::again("the tag", 0.0, lost("PUT", "/manifests/1.0.0")),
        Case::again("the question", 0.0, lost("HEAD", "/blobs/")),
    ]);
}

#[test]
fn a_push_succeeds_to_a_registry_that_reports_all_content_as_empty() {
    let empty = Fault::edit(|answer| answer.set("content-length", 0));
    let rules = vec![Rule::on("HEAD", "/", empty).always()];
    push(vec![Case::again("a length of 0", 0.0, rules)]);
}

#[test]
fn a_request_is_repeated_after_an_outage_and_not_after_a_refusal() {
    let mut cases = Vec::new();
    for status in ["429 A", "500 B", "502 C", "503 D", "504 E"] {
        for (method, path, again) in [
            ("HEAD", "/blobs/", 0.0),
            ("POST", "/blobs/uploads/", 0.0),
            ("PUT", "/blobs/uploads/", 2.0),
            ("PUT", "/manifests/", 0.0),
        ] {
            let rules = vec![Rule::on(method, path, Fault::status(status)).times(2)];
            let name = format!("{method} {path} {status}");
            cases.push(Case::again(name, again, rules));
        }
    }
    for (method, path, status, kind) in [
        ("POST", "/blobs/", "503 Always", ErrorKind::Unavailable),
        ("PUT", "/manifests/", "503 Always", ErrorKind::Unavailable),
        ("POST", "/blobs/", "403 Forbidden", ErrorKind::Denied),
        ("POST", "/blobs/", "405 Not Allowed", ErrorKind::Denied),
        ("PUT", "/manifests/", "401 Unauthorized", ErrorKind::Denied),
        ("PUT", "/manifests/", "400 Bad Request", ErrorKind::Other),
    ] {
        let rules = vec![Rule::on(method, path, Fault::status(status)).always()];
        cases.push(Case::fails(
            format!("{method} {path} {status}"),
            kind,
            rules,
        ));
    }
    push(cases);
}

#[test]
fn content_that_is_damaged_in_transit_is_sent_again_and_not_stored() {
    let middle = sample().size() / 2;
    push(vec![
        Case::again("one byte", 1.0, vec![upload(Fault::FlipRequest(middle))]),
        Case::fails(
            "one byte, always",
            ErrorKind::NotVerified,
            vec![upload(Fault::FlipRequest(middle)).always()],
        ),
    ]);
}

#[test]
fn a_registry_that_refuses_a_blob_in_one_request_gets_chunks() {
    // This archive needs two chunks of at most 4 MiB.
    let sample = Sample::new(5 << 20, 1);
    let hex = sample.hex();
    let refused = || Rule::on("PUT", &hex, Fault::status("413 Content Too Large"));
    // Amazon ECR answers like this.
    let created = Fault::edit(|answer| {
        answer.set_status("201 Created");
        answer.set("range", "0-0");
    });
    let patch = |fault| Rule::on("PATCH", "/blobs/uploads/", fault);
    let cases = vec![
        Case::again("413", 0.0, vec![refused()]),
        Case::again("201", 0.0, vec![refused(), patch(created).always()]),
        Case::again(
            "503 in between",
            0.0,
            vec![refused(), patch(Fault::status("503 No")).after(1)],
        ),
        Case::again(
            "cut",
            0.0,
            vec![refused(), patch(Fault::CutRequest(1000)).after(1)],
        ),
        Case::again(
            "an answer lost",
            0.0,
            vec![refused(), patch(Fault::LoseAnswer)],
        ),
        Case::again(
            "damage",
            0.0,
            vec![refused(), patch(Fault::FlipRequest(1000))],
        ),
    ];
    block_on(run(&[Transfer::Push], &sample, cases));
}

#[test]
fn chunks_have_the_size_that_the_registry_accepts() {
    let sample = Sample::new(6 << 20, 2);
    let refused = || Rule::on("PUT", &sample.hex(), Fault::status("413 Content Too Large"));
    let announced = Fault::edit(|answer| answer.set("oci-chunk-min-length", 5 << 20));
    block_on(async {
        for (rules, sizes) in [
            (vec![refused()], [4 << 20, sample.size() - (4 << 20)]),
            (
                vec![
                    refused(),
                    Rule::on("POST", "/blobs/uploads/", announced).always(),
                ],
                [5 << 20, sample.size() - (5 << 20)],
            ),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let client = client(&directory.path().join("cache"));
            let proxy = Proxy::to(shared_registry(), rules);
            let push = transfer(
                Transfer::Push,
                &client,
                &proxy,
                &sample,
                "",
                directory.path(),
            );
            push.await.unwrap().outcome.unwrap();
            let patches = proxy.seen("PATCH", "/blobs/uploads/");
            let patches: Vec<u64> = patches.iter().map(|seen| seen.up).collect();
            assert_eq!(patches, sizes);
        }
    });
}

#[test]
fn an_immutable_tag_accepts_its_own_content_and_no_other() {
    block_on(async {
        let name = pushed(sample()).await;
        let other = Sample::new(64 << 10, 4);
        let refusal = Fault::Answer {
            status: "400 Bad Request",
            headers: Vec::new(),
            body: r#"{"errors":[{"code":"TAG_INVALID","message":"the tag is immutable"}]}"#,
        };
        let rules = vec![Rule::on("PUT", "/manifests/1.0.0", refusal).always()];
        let proxy = Proxy::to(shared_registry(), rules);
        let reference = parse(&proxy.reference(&name));
        for (sample, expected) in [(sample(), None), (&other, Some(ErrorKind::Conflict))] {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("provider.par");
            fs::write(&file, &sample.archive).unwrap();
            let client = client(directory.path());
            let pushed = client.push(&file, &reference, &BTreeMap::new()).await;
            assert_eq!(pushed.err().map(|error| error.kind()), expected);
        }
    });
}

#[test]
fn the_location_of_an_upload_must_be_at_the_registry_itself() {
    let begin = |edit| vec![Rule::on("POST", "/blobs/uploads/", Fault::edit(edit)).always()];
    push(vec![
        Case::again(
            "relative",
            0.0,
            begin(|answer| {
                let location = answer.get("location").unwrap();
                let path = location.find("/v2/").unwrap();
                let location = location[path..].to_owned();
                answer.set("location", location);
            }),
        ),
        Case::fails(
            "another host",
            ErrorKind::Other,
            begin(|answer| answer.set("location", "http://localhost:1/v2/a/blobs/uploads/b")),
        ),
        Case::fails(
            "nowhere",
            ErrorKind::Other,
            begin(|answer| answer.remove("location")),
        ),
    ]);
}
