//! Pulls one archive over 1, 2, 4 and 8 connections from a real registry, through a link that limits each connection, a
//! link with a long delay, and a link without limits.

use std::fs;
use std::time::Duration;

use anyhow::ensure;

use crate::Options;
use crate::inputs::Inputs;
use crate::link::{Link, Speed};
use crate::measure::{Run, forget, measure, spread, words};
use crate::registry::Registry;

const CONNECTIONS: [usize; 4] = [1, 2, 4, 8];

/// 20 MB/s for each connection.
const LIMITED: f64 = 20e6;

/// For each link: its name, its rate, and its round-trip time.
const LINES: [(&str, f64, Duration); 4] = [
    ("20 MB/s for each connection", LIMITED, Duration::ZERO),
    (
        "20 MB/s for each connection, 30 ms away",
        LIMITED,
        Duration::from_millis(30),
    ),
    (
        "no limit, 30 ms away",
        f64::INFINITY,
        Duration::from_millis(30),
    ),
    ("no limit", f64::INFINITY, Duration::ZERO),
];

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let inputs = Inputs::choose(&options.files)?;
    let directory = tempfile::tempdir()?;
    let archive = directory.path().join("provider.par.gz");
    measure(&inputs.pack_with_par(&par, &archive))?;
    let size = archive.metadata()?.len();
    let registry = Registry::start(directory.path())?;
    let name = "bench/connections:1.0.0";
    let cache = directory.path().join("cache");
    let pulled = directory.path().join("pulled");
    let place = registry.reference(name);
    measure(&words(&[
        &par,
        &"push",
        &place,
        &archive,
        &"--cache-dir",
        &cache,
    ]))?;

    for (title, rate, round_trip) in LINES {
        let speed = Speed {
            rate,
            each: true,
            delay: round_trip / 2,
        };
        let reference = Link::to(registry.address(), speed)?.reference(name);
        let mut runs: [Vec<Run>; CONNECTIONS.len()] = Default::default();
        for run in 0..=options.runs {
            for (connections, runs) in CONNECTIONS.iter().zip(&mut runs) {
                forget(&cache)?;
                let count = connections.to_string();
                let mut pull = words(&[&par, &"pull", &reference, &"--connections", &count]);
                pull.extend(words(&[&"--cache-dir", &cache]));
                pull.extend(words(&[&"--destination", &pulled]));
                let measured = measure(&pull)?;
                // The first run of each is not measured.
                if run > 0 {
                    runs.push(measured);
                }
            }
        }
        let megabytes = size as f64 / 1e6;
        let runs_of_each = options.runs;
        println!(
            "\n{title}: par pull of {megabytes:.1} MB, {runs_of_each} runs of each in turn: \
             median (min to max)"
        );
        for (connections, runs) in CONNECTIONS.iter().zip(&runs) {
            println!(
                "  {connections} connections   {} s   peak {} MiB",
                spread(runs.iter().map(|run| run.seconds), 3),
                spread(runs.iter().map(|run| run.peak_mib), 0),
            );
        }
        ensure!(
            fs::read(&pulled)? == fs::read(&archive)?,
            "another file was pulled"
        );
    }
    Ok(())
}
