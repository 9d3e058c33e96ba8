//! Packs and verifies an archive of 2 GB, to measure the memory.

use crate::Options;
use crate::inputs::Inputs;
use crate::measure::measure;

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let directory = tempfile::tempdir()?;
    let inputs = Inputs::choose(&options.files)?.enlarge(directory.path())?;
    let archive = directory.path().join("large.par.gz");
    let verify = vec![par.clone().into(), "verify".into(), archive.clone().into()];
    println!("\nsix executables of 340 MB, one run of each");
    for (name, command) in [
        (
            "par create --compress",
            inputs.pack_with_par(&par, &archive),
        ),
        ("par verify", verify),
    ] {
        let run = measure(&command)?;
        let (seconds, peak) = (run.seconds, run.peak_mib);
        println!("  {name:<44} {seconds:.2} s   peak {peak:.0} MiB");
    }
    println!("  {:.2} MB archive", archive.metadata()?.len() as f64 / 1e6);
    Ok(())
}
