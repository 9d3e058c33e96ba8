//! Packing: executables in, one compressed archive out.

use std::ffi::OsString;

use crate::Options;
use crate::inputs::Inputs;
use crate::measure::{Side, compare};

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let this = std::env::current_exe()?;
    let inputs = Inputs::choose(&options.files)?;
    let folder = tempfile::tempdir()?;
    let ours = folder.path().join("ours.par.gz");
    let theirs = folder.path().join("theirs.par.gz");
    compare(
        "packing, compressed",
        options.runs,
        Side {
            name: "par create --compress",
            command: Box::new(|_| {
                let mut command: Vec<OsString> = vec![par.clone().into()];
                for word in [
                    "create",
                    "--compress",
                    "-n",
                    "Provider",
                    "-v",
                    "Example",
                    "-d",
                ] {
                    command.push(word.into());
                }
                command.extend([folder.path().into(), "--destination".into(), (&ours).into()]);
                for binary in inputs.arguments() {
                    command.extend(["-b".into(), binary]);
                }
                Ok(command)
            }),
        },
        Side {
            name: "provider-archive write",
            command: Box::new(|_| {
                let mut command: Vec<OsString> = vec![this.clone().into()];
                command.extend(["peer".into(), "create".into(), (&theirs).into()]);
                command.extend(inputs.arguments());
                Ok(command)
            }),
        },
    )?;
    let (ours, theirs) = (
        ours.metadata()?.len() as f64,
        theirs.metadata()?.len() as f64,
    );
    println!(
        "  size: {:.2} MB beside {:.2} MB, {:.3} times",
        ours / 1e6,
        theirs / 1e6,
        ours / theirs
    );
    Ok(())
}
