//! The executables that the benchmarks pack.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use crate::measure::words;

/// The targets for the files from the largest to the smallest. This machine's target, which `fetch` uses,
/// has a file of average size.
const TARGETS: [&str; 6] = [
    "aarch64-macos",
    "armv7-linux",
    "x86_64-linux",
    "aarch64-linux",
    "riscv64gc-linux",
    "x86_64-windows",
];

const MB: u64 = 1_000_000;

/// The packed files by target.
pub struct Inputs(pub BTreeMap<&'static str, PathBuf>);

impl Inputs {
    /// Returns the files of the command line, or the six largest executables of 10 to 60 MB in the Rust toolchain and
    /// on `PATH`.
    pub fn choose(files: &[PathBuf]) -> anyhow::Result<Self> {
        let files = match files {
            [] => find()?,
            files => files.to_vec(),
        };
        ensure!(files.len() <= TARGETS.len(), "at most six files");
        let inputs: BTreeMap<_, _> = TARGETS.into_iter().zip(files).collect();
        let mut total = 0;
        for (target, file) in &inputs {
            let size = file.metadata()?.len();
            total += size;
            let (size, file) = (size as f64 / 1e6, file.display());
            println!("  {size:6.1} MB  {target:<16} {file}");
        }
        println!(
            "  {:6.1} MB in {} executables",
            total as f64 / 1e6,
            inputs.len()
        );
        Ok(Self(inputs))
    }

    /// Writes six executables of some 340 MB each to `directory`. Each one consists of these files in another order.
    pub fn enlarge(&self, directory: &Path) -> anyhow::Result<Self> {
        const SIZE: u64 = 340 * MB;
        let files: Vec<_> = self.0.values().collect();
        let mut large = BTreeMap::new();
        for (number, target) in TARGETS.into_iter().enumerate() {
            let path = directory.join(target);
            let mut output = File::create(&path)?;
            let mut written = 0;
            for file in files.iter().cycle().skip(number) {
                written += io::copy(&mut File::open(file)?.take(SIZE - written), &mut output)?;
                if written == SIZE {
                    break;
                }
            }
            large.insert(target, path);
        }
        Ok(Self(large))
    }

    /// The command that packs the files with `par` into `archive`, compressed if the name says so. The keys
    /// are in the archive's directory.
    pub fn pack_with_par(&self, par: &Path, archive: &Path) -> Vec<OsString> {
        let keys = archive.parent().unwrap_or(Path::new("."));
        let names = ["-n", "Provider", "-v", "Example", "-d"].map(Into::into);
        let mut command = words(&[&par, &"create", &"--keygen", &"--destination", &archive]);
        command.extend(names);
        command.push(keys.into());
        if archive
            .extension()
            .is_some_and(|extension| extension == "gz")
        {
            command.push("--compress".into());
        }
        for binary in self.arguments() {
            command.extend(["-b".into(), binary]);
        }
        command
    }

    /// The command that packs the files with `provider-archive` into `archive`.
    pub fn pack_with_peer(&self, archive: &Path) -> anyhow::Result<Vec<OsString>> {
        let mut command: Vec<OsString> = vec![std::env::current_exe()?.into()];
        command.extend(["peer".into(), "create".into(), archive.into()]);
        command.extend(self.arguments());
        Ok(command)
    }

    /// The files as arguments `TARGET=PATH`.
    fn arguments(&self) -> impl Iterator<Item = OsString> {
        self.0.iter().map(|(target, file)| {
            let mut argument = OsString::from(format!("{target}="));
            argument.push(file);
            argument
        })
    }
}

/// The target of this machine.
#[cfg(feature = "host")]
pub fn host_target() -> anyhow::Result<&'static str> {
    let this = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    let mut targets = TARGETS.into_iter();
    let target = targets.find(|target| *target == this);
    anyhow::Context::with_context(target, || format!("{this} is none of {TARGETS:?}"))
}

fn find() -> anyhow::Result<Vec<PathBuf>> {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout)?.trim());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain([sysroot.join("bin")]);
    let mut found: BTreeMap<u64, PathBuf> = BTreeMap::new();
    for directory in directories {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(metadata) = path.metadata() else {
                continue;
            };
            let fits = (10 * MB..60 * MB).contains(&metadata.len());
            // Files of the same size count as one file with several names.
            if metadata.is_file() && fits && is_elf(&path) {
                found.entry(metadata.len()).or_insert(path);
            }
        }
    }
    ensure!(
        !found.is_empty(),
        "no executables of 10 to 60 MB found: name some"
    );
    Ok(found.into_values().rev().take(TARGETS.len()).collect())
}

fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut magic))
        .is_ok_and(|()| magic == *b"\x7fELF")
}
