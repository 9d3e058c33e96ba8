//! Pushing and pulling one archive, everything verified, with a real registry on this machine.

use anyhow::ensure;
use std::ffi::OsString;
use std::path::Path;

use crate::Options;
use crate::inputs::Inputs;
use crate::measure::{Side, compare, measure};
use crate::registry::Registry;

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let this = std::env::current_exe()?;
    let inputs = Inputs::choose(&options.files)?;
    let folder = tempfile::tempdir()?;
    let archive = folder.path().join("provider.par.gz");
    measure(&inputs.pack_with_par(&par, &archive))?;
    let registry = Registry::start(folder.path())?;

    // A repository of its own for every run, or the second would find everything there already; a
    // cache of its own likewise.
    let place = |name: &str, run: usize| registry.reference(&format!("bench/{name}-{run}:1.0.0"));
    let cache = |name: &str, run: usize| folder.path().join(format!("cache-{name}-{run}"));
    let words = |words: &[&dyn AsRef<std::ffi::OsStr>]| -> anyhow::Result<Vec<OsString>> {
        Ok(words.iter().map(|word| word.as_ref().to_owned()).collect())
    };
    compare(
        "pushing",
        options.runs,
        Side {
            name: "par push",
            command: Box::new(|run| {
                let cache = cache("push", run);
                words(&[
                    &par,
                    &"push",
                    &place("ours", run),
                    &archive,
                    &"--cache-dir",
                    &cache,
                ])
            }),
        },
        Side {
            name: "provider-archive load + oci-client push",
            command: Box::new(|run| {
                words(&[&this, &"peer", &"push", &place("theirs", run), &archive])
            }),
        },
    )?;

    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
    let source = place("ours", 0);
    compare(
        "pulling",
        options.runs,
        Side {
            name: "par pull, nothing cached",
            command: Box::new(|run| {
                let cache = cache("pull", run);
                forget(&cache)?;
                let options: [&dyn AsRef<std::ffi::OsStr>; 4] =
                    [&"--destination", &ours, &"--cache-dir", &cache];
                let mut command = words(&[&par, &"pull", &source])?;
                command.extend(words(&options)?);
                Ok(command)
            }),
        },
        Side {
            name: "oci-client pull + provider-archive load",
            command: Box::new(|_| words(&[&this, &"peer", &"pull", &source, &theirs])),
        },
    )?;
    ensure!(
        std::fs::read(&ours)? == std::fs::read(&theirs)?,
        "different files were pulled"
    );
    Ok(())
}

/// Clears what an earlier run left.
fn forget(cache: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(cache) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
