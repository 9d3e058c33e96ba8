//! The C libraries of this machine.

use std::path::{Path, PathBuf};

use crate::archive::{ExecutableFacts, defined_glibc};

use super::libraries::Libraries;

/// The usual paths of dynamic linkers on Linux, for each processor.
const LINKERS: [(&str, &str, &str); 8] = [
    (
        "x86_64",
        "/lib64/ld-linux-x86-64.so.2",
        "/lib/ld-musl-x86_64.so.1",
    ),
    (
        "aarch64",
        "/lib/ld-linux-aarch64.so.1",
        "/lib/ld-musl-aarch64.so.1",
    ),
    ("arm", "/lib/ld-linux-armhf.so.3", "/lib/ld-musl-armhf.so.1"),
    ("x86", "/lib/ld-linux.so.2", "/lib/ld-musl-i386.so.1"),
    (
        "riscv64",
        "/lib/ld-linux-riscv64-lp64d.so.1",
        "/lib/ld-musl-riscv64.so.1",
    ),
    (
        "powerpc64",
        "/lib64/ld64.so.2",
        "/lib/ld-musl-powerpc64le.so.1",
    ),
    ("s390x", "/lib/ld64.so.1", "/lib/ld-musl-s390x.so.1"),
    (
        "loongarch64",
        "/lib64/ld-linux-loongarch-lp64d.so.1",
        "/lib/ld-musl-loongarch64.so.1",
    ),
];

/// A C library for which this machine starts dynamic executables.
#[derive(Debug)]
pub(in crate::client) enum CLibrary {
    /// The GNU C library: its dynamic linker, and its release if that could be read.
    Gnu(PathBuf, Option<String>),
    /// musl, or another library with the linker of musl.
    Musl(PathBuf),
}

/// Returns the C libraries whose dynamic linkers are where executables for this machine expect them. `None`: the paths
/// are not known for this kind of machine. Blocks.
pub(in crate::client) fn c_libraries() -> Option<Vec<CLibrary>> {
    let own = LINKERS
        .iter()
        .find(|linker| linker.0 == std::env::consts::ARCH);
    let (processor, gnu, musl) = own.filter(|_| cfg!(target_os = "linux"))?;
    let mut found = Vec::new();
    let facts = ExecutableFacts {
        processors: vec![(*processor).to_owned()],
        interpreter: Some((*gnu).to_owned()),
        ..ExecutableFacts::default()
    };
    let gnu = PathBuf::from(gnu);
    if defined_glibc(&gnu, &facts.processors).is_some() {
        let release = Libraries::of(Path::new("/"), &facts).glibc();
        found.push(CLibrary::Gnu(gnu, release.map(|(release, _)| release)));
    }
    let musl = PathBuf::from(musl);
    if musl.exists() {
        found.push(CLibrary::Musl(musl));
    }
    Some(found)
}
