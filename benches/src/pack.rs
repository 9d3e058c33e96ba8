//! Packs executables into one compressed archive.

use crate::Options;
use crate::inputs::Inputs;
use crate::measure::{Side, compare};

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let inputs = Inputs::choose(&options.files)?;
    let directory = tempfile::tempdir()?;
    let ours = directory.path().join("ours.par.gz");
    let theirs = directory.path().join("theirs.par.gz");
    compare(
        "packing, compressed",
        options.runs,
        Side {
            name: "par create --compress",
            command: Box::new(|_| Ok(inputs.pack_with_par(&par, &ours))),
        },
        Side {
            name: "provider-archive write",
            command: Box::new(|_| inputs.pack_with_peer(&theirs)),
        },
    )?;
    let (ours, theirs) = (
        ours.metadata()?.len() as f64,
        theirs.metadata()?.len() as f64,
    );
    println!(
        "  size: {:.2} MB beside {:.2} MB, {:.4} times",
        ours / 1e6,
        theirs / 1e6,
        ours / theirs
    );
    Ok(())
}
