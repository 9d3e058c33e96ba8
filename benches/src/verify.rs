//! Verifies an archive that `par` packed, and an archive that `provider-archive` packed.

use std::path::Path;

use crate::Options;
use crate::inputs::Inputs;
use crate::measure::{Side, compare, measure};

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let inputs = Inputs::choose(&options.files)?;
    let directory = tempfile::tempdir()?;
    let ours = directory.path().join("ours.par.gz");
    measure(&inputs.pack_with_par(&par, &ours))?;
    verify("verifying what par has packed", options, &par, &ours)?;
    let theirs = directory.path().join("theirs.par.gz");
    measure(&inputs.pack_with_peer(&theirs)?)?;
    verify(
        "verifying what provider-archive has packed",
        options,
        &par,
        &theirs,
    )
}

fn verify(title: &str, options: &Options, par: &Path, archive: &Path) -> anyhow::Result<()> {
    let this = std::env::current_exe()?;
    compare(
        title,
        options.runs,
        Side {
            name: "par verify",
            command: Box::new(|_| Ok(vec![par.into(), "verify".into(), archive.into()])),
        },
        Side {
            name: "provider-archive load",
            command: Box::new(|_| {
                let this = this.clone().into();
                Ok(vec![this, "peer".into(), "load".into(), archive.into()])
            }),
        },
    )
}
