//! Carries archives and what belongs to them from a registry through an image layout to another registry.
//!
//! `par mirror` goes through a tar first, and from that to the layout. At the end, `cosign` verifies the signature of each
//! archive.

use std::ffi::OsString;

use anyhow::Context;

use crate::Options;
use crate::attached::{Side, Tools, Work};
use crate::measure::{Run, measure, print_sides};
use crate::registry::Registry;

const SIDES: [(Side, &str); 3] = [
    (Side::Mirror, "par mirror: tar, layout, registry"),
    (Side::Regctl, "regctl: layout, registry"),
    (Side::Oras, "oras: layout, registry"),
];

/// Runs all sides in turn, each with new files and a new registry, and once more when everything is there.
pub fn compare(
    options: &Options,
    tools: &Tools,
    work: &Work,
    source: &Registry,
) -> anyhow::Result<()> {
    let mut first: [Vec<Run>; SIDES.len()] = Default::default();
    let mut again: [Vec<Run>; SIDES.len()] = Default::default();
    for _ in 0..options.runs {
        for (index, (side, name)) in SIDES.into_iter().enumerate() {
            let directory = tempfile::tempdir()?;
            let destination = Registry::start(directory.path())?;
            let command = command(tools, side, (source, &destination), directory.path(), work);
            let cold = measure(&command).with_context(|| name.to_owned())?;
            work.check(side, source, &destination)?;
            let warm = measure(&command).with_context(|| name.to_owned())?;
            if side == Side::Mirror {
                work.verify(tools, |number| work.mirrored(source, &destination, number))?;
            }
            first[index].push(cold);
            again[index].push(warm);
        }
    }
    let names = SIDES.map(|(_, name)| name);
    for (what, runs) in [("carried", &first), ("everything is there", &again)] {
        print_sides(what, &names, runs, &[(0, 1), (0, 2)]);
    }
    Ok(())
}

/// Returns the command that carries all archives through files in `directory`.
fn command(
    tools: &Tools,
    side: Side,
    (from, to): (&Registry, &Registry),
    directory: &std::path::Path,
    work: &Work,
) -> Vec<OsString> {
    let (from, to) = (from.address(), to.address());
    let layout = directory.join("layout");
    let layout = layout.display();
    let (source, destination) = (format!("{from}/bench/a$n:1"), format!("{to}/bench/a$n:1"));
    let one = match side {
        Side::Regctl => {
            let regctl = format!(
                "{} --host reg={from},tls=disabled --host reg={to},tls=disabled image copy --referrers --digest-tags",
                tools.program("regctl")
            );
            format!(
                "{regctl} {source} ocidir://{layout}:a$n; {regctl} ocidir://{layout}:a$n {destination}"
            )
        }
        Side::Oras => {
            let oras = format!("{} cp --no-tty", tools.program("oras"));
            let tag = tools.signature_tag();
            format!(
                "{oras} -r --from-plain-http --to-oci-layout {source} {layout}:a$n; \
                 {oras} --from-plain-http --to-oci-layout {from}/bench/a$n:{tag} {layout}:{tag}; \
                 {oras} -r --from-oci-layout --to-plain-http {layout}:a$n {destination}; \
                 {oras} --from-oci-layout --to-plain-http {layout}:{tag} {to}/bench/a$n:{tag}"
            )
        }
        Side::Copy | Side::Mirror => {
            let (par, list) = (tools.par(), tools.list());
            let tar = directory.join("all.tar");
            let tar = tar.display();
            return tools.shell(&format!(
                "{par} mirror {list} oci-archive://{tar}; \
                 {par} mirror oci-archive://{tar} oci-layout://{layout}; \
                 {par} mirror oci-layout://{layout} {to}"
            ));
        }
    };
    tools.for_each(work, &one)
}
