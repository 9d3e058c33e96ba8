//! Fetching one of several executables, cold and cached, with a real registry on this machine.

use std::ffi::OsString;
use std::path::Path;

use crate::Options;
use crate::inputs::Inputs;
use crate::link::{Link, Speed};
use crate::measure::{Side, compare, measure};
use crate::registry::Registry;

const NAME: &str = "bench/provider:1.0.0";

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let inputs = Inputs::choose(&options.files)?;
    let folder = tempfile::tempdir()?;
    let archive = folder.path().join("provider.par.gz");
    measure(&inputs.pack_with_par(&par, &archive))?;
    let registry = Registry::start(folder.path())?;
    let place = registry.reference(NAME);
    let sides = Sides {
        par: &par,
        folder: folder.path(),
    };
    let pushing = folder.path().join("pushing");
    measure(&words(&[
        &par,
        &"push",
        &place,
        &archive,
        &"--cache-dir",
        &pushing,
    ]))?;

    let counted = Link::to(registry.address(), Speed::UNLIMITED)?;
    let reference = counted.reference(NAME);
    let mut received = Vec::new();
    for side in [
        sides.ours("counted", &reference),
        sides.theirs("counted", &reference)?,
    ] {
        let before = counted.received();
        measure(&side)?;
        received.push(counted.received() - before);
    }
    println!(
        "\n  received for one executable: {:.2} MB beside {:.2} MB, {:.1} %",
        received[0] as f64 / 1e6,
        received[1] as f64 / 1e6,
        100.0 * received[0] as f64 / received[1] as f64
    );

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
                command: Box::new(|run| Ok(sides.ours(&format!("{title}{run}"), &reference))),
            },
            Side {
                name: "wasmcloud-core fetch_provider",
                command: Box::new(|run| sides.theirs(&format!("{title}{run}"), &reference)),
            },
        )?;
    }

    let digest = pushed(&par, &place, &pushing)?;
    for (title, reference) in [
        ("fetching a cached tag", place.clone()),
        (
            "fetching a cached digest",
            registry.reference(&format!("bench/provider@{digest}")),
        ),
    ] {
        compare(
            title,
            options.runs,
            Side {
                name: "par fetch",
                command: Box::new(|_| Ok(sides.ours(title, &reference))),
            },
            Side {
                name: "wasmcloud-core fetch_provider",
                command: Box::new(|_| sides.theirs(title, &reference)),
            },
        )?;
    }
    Ok(())
}

/// The commands of both sides, each with a cache by the name `cache`.
struct Sides<'a> {
    par: &'a Path,
    folder: &'a Path,
}

impl Sides<'_> {
    fn ours(&self, cache: &str, reference: &str) -> Vec<OsString> {
        let cache = self.folder.join(format!("our-{cache}"));
        words(&[&self.par, &"fetch", &reference, &"--cache-dir", &cache])
    }

    /// Their cache is in the folder for temporary files.
    fn theirs(&self, cache: &str, reference: &str) -> anyhow::Result<Vec<OsString>> {
        let cache = self.folder.join(format!("their-{cache}"));
        std::fs::create_dir_all(&cache)?;
        let mut folder = OsString::from("TMPDIR=");
        folder.push(cache);
        let this = std::env::current_exe()?;
        Ok(words(&[
            &"env", &folder, &this, &"peer", &"fetch", &reference,
        ]))
    }
}

/// The digest of the manifest that `reference` stands for.
fn pushed(par: &Path, reference: &str, cache: &Path) -> anyhow::Result<String> {
    let output = std::process::Command::new(par)
        .args(["fetch", reference, "-o", "json", "--cache-dir"])
        .arg(cache)
        .output()?;
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let digest = answer["digest"].as_str();
    Ok(anyhow::Context::context(digest, "no digest")?.to_owned())
}

fn words(words: &[&dyn AsRef<std::ffi::OsStr>]) -> Vec<OsString> {
    words.iter().map(|word| word.as_ref().to_owned()).collect()
}
