//! What `fuzz/` runs on random bytes, on the bytes that it begins with: so no target rots unseen.

mod references;
mod seeds;
mod targets;

#[test]
fn every_fuzz_target_runs_on_its_seeds() {
    let mut ran = std::collections::BTreeMap::new();
    for seed in seeds::all() {
        let run = match seed.target {
            "reader" => targets::reader,
            "index" => targets::index,
            "claims" => targets::claims,
            "reference" => targets::reference,
            other => panic!("{} is for {other}, which is no target", seed.name),
        };
        run(&seed.bytes);
        // Cut, it is something that a fuzzer may come to.
        run(&seed.bytes[..seed.bytes.len() / 2]);
        *ran.entry(seed.target).or_insert(0) += 1;
    }
    assert_eq!(ran.len(), 4, "{ran:?}");
}
