//! A process that is killed at any moment.

use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Instant;

use wasmcloud_par::cache::{Cache, PruneOptions};
use wasmcloud_par::content::Silent;

use super::Provider;
use crate::support::archives::noise;
use crate::transfer::digest;

/// How many processes are killed, unless `PAR_KILLS` has another number.
const KILLS: u64 = 20;

#[test]
fn nothing_incomplete_is_served_after_a_kill() {
    let kills = std::env::var("PAR_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let provider = Provider::of_noise(4 << 20);
    let cache = Cache::open(Some(provider.directory().parent().unwrap())).unwrap();
    let started = Instant::now();
    provider.fetches_the_executable();
    let duration = started.elapsed();

    let commands: [&[&str]; 3] = [
        &["fetch", &provider.reference],
        &[
            "pull",
            &provider.reference,
            "--destination",
            "pulled.par.gz",
        ],
        &["cache", "prune", "--all"],
    ];
    for seed in 0..kills {
        let arguments = commands[usize::try_from(seed).unwrap() % commands.len()];
        // A prune needs files to remove, and a download needs an empty cache.
        if arguments[0] == "cache" {
            provider.fetches_the_executable();
        } else if seed % 2 == 0 {
            prune(&cache);
        }
        let mut command = provider.environment.command();
        command.args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // The moments are the same in every run, as far as the machine allows.
        let share = u32::from(noise(8, seed)[0]);
        thread::sleep(duration * share / 256);
        child.kill().unwrap();
        child.wait().unwrap();

        let damaged = cache.verify(&Silent).unwrap().damaged;
        assert!(damaged.is_empty(), "{seed}, {arguments:?}: {damaged:?}");
        let pulled = provider.environment.path("pulled.par.gz");
        if pulled.exists() {
            assert_eq!(digest(&pulled), provider.layer, "{seed}");
            std::fs::remove_file(&pulled).unwrap();
        }
        let fetched = provider.fetch(&[]).success();
        assert_eq!(
            digest(Path::new(fetched.line())),
            provider.executable,
            "{seed}"
        );
    }
    // Pruning removes what the killed processes have left behind.
    prune(&cache);
    assert_eq!(provider.kept("partial"), [""; 0]);
}

fn prune(cache: &Cache) {
    let options = PruneOptions::default().with_all(true);
    cache.prune(&options).unwrap();
}
