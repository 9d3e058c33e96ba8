//! What `fuzz/` runs on random bytes, on the bytes that it begins with: so no target rots unseen.

mod references;
mod seeds;
mod targets;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// With `PAR_FUZZ_CORPUS`, the seeds are written to that folder too: `scripts/fuzz` begins with them.
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
            other => panic!("{} is for {other}, which is no target", seed.name),
        };
        if let Some(corpus) = &corpus {
            let folder = corpus.join(seed.target);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(&seed.name), &seed.bytes).unwrap();
        }
        run(&seed.bytes);
        // Cut, it is something that a fuzzer may come to.
        run(&seed.bytes[..seed.bytes.len() / 2]);
        *ran.entry(seed.target).or_insert(0) += 1;
    }
    assert_eq!(ran.len(), 4, "{ran:?}");
}
