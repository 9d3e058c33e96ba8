//! The fuzz targets of `fuzz/`, run on their seeds, so that a broken target is noticed.

mod references;
mod seeds;
mod targets;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// With `PAR_FUZZ_CORPUS`, the seeds are written to that directory for `scripts/fuzz`.
#[test]
fn every_fuzz_target_runs_on_its_seeds() {
    let mut ran = BTreeMap::new();
    let corpus = std::env::var_os("PAR_FUZZ_CORPUS").map(PathBuf::from);
    for seed in seeds::all() {
        let run = match seed.target {
            "reader" => targets::reader,
            "index" => targets::index,
            "claims" => targets::claims,
            "reference" => targets::reference,
            other => panic!("{} is for {other}, which is not a target", seed.name),
        };
        if let Some(corpus) = &corpus {
            let directory = corpus.join(seed.target);
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join(&seed.name), &seed.bytes).unwrap();
        }
        run(&seed.bytes);
        // A truncated seed is a typical input of a fuzzer.
        run(&seed.bytes[..seed.bytes.len() / 2]);
        *ran.entry(seed.target).or_insert(0) += 1;
    }
    assert_eq!(ran.len(), 4, "{ran:?}");
}
