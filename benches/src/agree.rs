//! Checks that the cache of a wasmCloud v1 host and the cache of `par` give the same executables for the
//! same references.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::Options;
use crate::hosts::{Hosts, printed};
use crate::inputs::{Inputs, host_target};
use crate::measure::{measure, words};
use crate::registry::Registry;

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let directory = tempfile::tempdir()?;
    let directory = directory.path();
    let registry = Registry::start(directory)?;
    let hosts = Hosts::new(&par, directory);
    let programs = [program("cat")?, program("ls")?];
    let mut checked = 0;
    for writer in [Writer::Par(&par), Writer::Peer] {
        for extension in writer.extensions() {
            let archives = programs.each_ref().map(|program| Archive {
                path: directory.join(format!("{}.{}.{extension}", writer.name(), name(program))),
                program,
            });
            for archive in &archives {
                measure(&writer.pack(archive)?)?;
            }
            for pusher in [Writer::Par(&par), Writer::Peer] {
                let cache = format!("{}-{}-{extension}", writer.name(), pusher.name());
                let place = registry.reference(&format!("agree/{cache}"));
                let tag = format!("{place}:1.0.0");
                let mut digests = Vec::new();
                // The second archive replaces the first one under the tag.
                for archive in &archives {
                    measure(&pusher.push(&tag, archive, directory)?)?;
                    digests.push((printed(&words(&[&par, &"resolve", &tag]))?, archive));
                    // The first fetch fills the caches, and the second one uses them.
                    for _ in 0..2 {
                        hosts.agree(&cache, &tag, archive.program)?;
                        checked += 1;
                    }
                }
                for (digest, archive) in digests {
                    for _ in 0..2 {
                        hosts.agree(&cache, &digest, archive.program)?;
                        checked += 1;
                    }
                }
            }
        }
    }
    println!("{checked} fetches, each the same executable from both caches");
    Ok(())
}

/// An archive, and its executable for this machine.
struct Archive<'a> {
    path: PathBuf,
    program: &'a Path,
}

/// A client that packs and pushes archives.
enum Writer<'a> {
    Par(&'a Path),
    /// `provider-archive`, and `oci-client` as `wash` uses it.
    Peer,
}

impl Writer<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Par(_) => "par",
            Self::Peer => "peer",
        }
    }

    fn extensions(&self) -> &'static [&'static str] {
        match self {
            Self::Par(_) => &["par", "par.gz"],
            Self::Peer => &["par.gz"],
        }
    }

    fn pack(&self, archive: &Archive) -> anyhow::Result<Vec<OsString>> {
        let inputs = Inputs(BTreeMap::from([(
            host_target()?,
            archive.program.to_owned(),
        )]));
        match self {
            Self::Par(par) => Ok(inputs.pack_with_par(par, &archive.path)),
            Self::Peer => inputs.pack_with_peer(&archive.path),
        }
    }

    fn push(
        &self,
        reference: &str,
        archive: &Archive,
        directory: &Path,
    ) -> anyhow::Result<Vec<OsString>> {
        let (path, cache) = (&archive.path, directory.join("pushing"));
        Ok(match self {
            // The two archives have different keys.
            Self::Par(par) => words(&[
                par,
                &"push",
                &reference,
                path,
                &"--change-identity",
                &"--cache-dir",
                &cache,
            ]),
            Self::Peer => words(&[
                &std::env::current_exe()?,
                &"peer",
                &"push",
                &reference,
                path,
            ]),
        })
    }
}

/// A program that every Linux has.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let directories = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&directories).map(|directory| directory.join(name));
    let found = places.find(|place| place.is_file());
    found.with_context(|| format!("there is no `{name}` on the PATH"))
}

fn name(program: &Path) -> std::borrow::Cow<'_, str> {
    program.file_name().unwrap_or_default().to_string_lossy()
}
