//! Real executables to pack.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

/// Made-up targets: what matters is that there are several.
const TARGETS: [&str; 6] = [
    "aarch64-linux",
    "aarch64-macos",
    "armv7-linux",
    "riscv64gc-linux",
    "x86_64-linux",
    "x86_64-windows",
];

const MB: u64 = 1_000_000;

/// What is packed, by target.
pub struct Inputs(pub BTreeMap<&'static str, PathBuf>);

impl Inputs {
    /// The files of the command line, or the six largest executables of 10 to 60 MB in the Rust
    /// toolchain and on `PATH`.
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

    /// Packs them with `provider-archive` into `archive`, for what is done with archives.
    pub fn pack(&self, archive: &Path) -> anyhow::Result<()> {
        let packed = Command::new(std::env::current_exe()?)
            .args(["peer", "create"])
            .arg(archive)
            .args(self.arguments())
            .status()?;
        ensure!(packed.success(), "packing failed");
        println!(
            "  {:6.1} MB archive",
            archive.metadata()?.len() as f64 / 1e6
        );
        Ok(())
    }

    /// As arguments `TARGET=PATH`.
    pub fn arguments(&self) -> impl Iterator<Item = OsString> {
        self.0.iter().map(|(target, file)| {
            let mut argument = OsString::from(format!("{target}="));
            argument.push(file);
            argument
        })
    }
}

fn find() -> anyhow::Result<Vec<PathBuf>> {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout)?.trim());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([sysroot.join("bin")]);
    let mut found: BTreeMap<u64, PathBuf> = BTreeMap::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(metadata) = path.metadata() else {
                continue;
            };
            let fits = (10 * MB..60 * MB).contains(&metadata.len());
            // By size: the same file under several names counts once.
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
    std::fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut magic))
        .is_ok_and(|()| magic == *b"\x7fELF")
}
