//! Fetches one of several executables, cold and cached, with a real registry on this machine.

use anyhow::Context;

use crate::Options;
use crate::hosts::{Hosts, printed};
use crate::inputs::{Inputs, host_target};
use crate::link::{Link, Speed};
use crate::measure::{Side, compare, measure, words};
use crate::registry::Registry;

const NAME: &str = "bench/provider:1.0.0";

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let inputs = Inputs::choose(&options.files)?;
    let directory = tempfile::tempdir()?;
    let archive = directory.path().join("provider.par.gz");
    measure(&inputs.pack_with_par(&par, &archive))?;
    let registry = Registry::start(directory.path())?;
    let place = registry.reference(NAME);
    let hosts = Hosts::new(&par, directory.path());
    let pushing = directory.path().join("pushing");
    measure(&words(&[
        &par,
        &"push",
        &place,
        &archive,
        &"--cache-dir",
        &pushing,
    ]))?;

    let executable = inputs.0.get(host_target()?);
    let executable = executable.context("no file for this machine")?;
    println!(
        "\n  {:.2} MB archive",
        archive.metadata()?.len() as f64 / 1e6
    );
    let counted = Link::to(registry.address(), Speed::UNLIMITED)?;
    let reference = counted.reference(NAME);
    let pinned = printed(&words(&[&par, &"resolve", &reference]))?;
    for (title, reference) in [
        ("nothing cached", &reference),
        ("a cached tag", &reference),
        ("a cached digest", &pinned),
    ] {
        let mut received = Vec::new();
        for side in [
            hosts.ours("counted", reference),
            hosts.theirs("counted", reference)?,
        ] {
            let before = counted.received();
            measure(&side)?;
            received.push(counted.received() - before);
        }
        println!("  bytes received, {title}: {received:?}");
        hosts.agree("counted", reference, executable)?;
    }

    let all = archive.metadata()?.len() as f64;
    for target in inputs.0.keys() {
        let before = counted.received();
        let mut command = hosts.ours(target, &reference);
        command.extend(["--target".into(), target.into()]);
        measure(&command)?;
        let received = counted.received() - before;
        let share = 100.0 * received as f64 / all;
        println!("  bytes received, {target}: {received}, {share:.1} % of the archive");
    }

    let distant = Link::to(registry.address(), Speed::DISTANT)?;
    for (title, reference) in [
        ("fetching, nothing cached", place.clone()),
        ("the same at 100 Mbit/s and 20 ms", distant.reference(NAME)),
    ] {
        compare(
            title,
            options.runs,
            Side {
                name: "par fetch",
                command: Box::new(|run| Ok(hosts.ours(&format!("{title}{run}"), &reference))),
            },
            Side {
                name: "wasmcloud-core fetch_provider",
                command: Box::new(|run| hosts.theirs(&format!("{title}{run}"), &reference)),
            },
        )?;
    }

    let pinned = printed(&words(&[&par, &"resolve", &place]))?;
    for (title, reference) in [
        ("fetching a cached tag", place.clone()),
        ("fetching a cached digest", pinned),
    ] {
        compare(
            title,
            options.runs,
            Side {
                name: "par fetch",
                command: Box::new(|_| Ok(hosts.ours(title, &reference))),
            },
            Side {
                name: "wasmcloud-core fetch_provider",
                command: Box::new(|_| hosts.theirs(title, &reference)),
            },
        )?;
    }
    Ok(())
}
