//! Verifying an archive that the other side has packed.

use crate::Options;
use crate::inputs::Inputs;
use crate::measure::{Side, compare};

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let this = std::env::current_exe()?;
    let inputs = Inputs::choose(&options.files)?;
    let folder = tempfile::tempdir()?;
    let archive = folder.path().join("provider.par.gz");
    inputs.pack(&archive)?;
    compare(
        "verifying",
        options.runs,
        Side {
            name: "par verify",
            command: Box::new(|_| Ok(vec![par.clone().into(), "verify".into(), (&archive).into()])),
        },
        Side {
            name: "provider-archive load",
            command: Box::new(|_| {
                let this = this.clone().into();
                Ok(vec![this, "peer".into(), "load".into(), (&archive).into()])
            }),
        },
    )
}
