//! Pushes and pulls one archive, with all checks, to and from a real registry on this machine.

use std::fs;

use anyhow::ensure;

use crate::Options;
use crate::inputs::Inputs;
use crate::measure::{Side, compare, forget, measure, words};
use crate::registry::Registry;

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let this = std::env::current_exe()?;
    let inputs = Inputs::choose(&options.files)?;
    let directory = tempfile::tempdir()?;
    let archive = directory.path().join("provider.par.gz");
    measure(&inputs.pack_with_par(&par, &archive))?;
    let registry = Registry::start(directory.path())?;

    // Each run has its own repository and its own cache. Otherwise the second run would find the archive there.
    let place = |name: &str, run: usize| registry.reference(&format!("bench/{name}-{run}:1.0.0"));
    let cache = |name: &str, run: usize| directory.path().join(format!("cache-{name}-{run}"));
    compare(
        "pushing",
        options.runs,
        Side {
            name: "par push",
            command: Box::new(|run| {
                let (place, cache) = (place("ours", run), cache("push", run));
                let push: [&dyn AsRef<_>; 6] =
                    [&par, &"push", &place, &archive, &"--cache-dir", &cache];
                Ok(words(&push))
            }),
        },
        Side {
            name: "provider-archive load + oci-client push",
            command: Box::new(|run| {
                let place = place("theirs", run);
                Ok(words(&[&this, &"peer", &"push", &place, &archive]))
            }),
        },
    )?;

    let (ours, theirs) = (
        directory.path().join("ours"),
        directory.path().join("theirs"),
    );
    let source = place("ours", 0);
    compare(
        "pulling",
        options.runs,
        Side {
            name: "par pull, nothing cached",
            command: Box::new(|run| {
                let cache = cache("pull", run);
                forget(&cache)?;
                let mut pull = words(&[&par, &"pull", &source, &"--destination", &ours]);
                pull.extend(words(&[&"--cache-dir", &cache]));
                Ok(pull)
            }),
        },
        Side {
            name: "oci-client pull + provider-archive load",
            command: Box::new(|_| Ok(words(&[&this, &"peer", &"pull", &source, &theirs]))),
        },
    )?;
    ensure!(
        fs::read(&ours)? == fs::read(&theirs)?,
        "different files were pulled"
    );
    Ok(())
}
