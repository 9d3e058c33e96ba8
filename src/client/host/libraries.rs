//! Where the dynamic linker of the GNU C library looks for shared libraries (ld.so(8)).

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::archive::{ExecutableFacts, defined_glibc, is_newer};

use super::linker_cache::LinkerCache;

/// The C library itself.
const C_LIBRARY: &str = "libc.so.6";

/// The places in which the libraries of an executable are looked for: all those that the linker uses, and perhaps more.
pub(super) struct Libraries<'f> {
    facts: &'f ExecutableFacts,
    directories: Vec<PathBuf>,
    cache: LinkerCache,
    /// Whether all places of the linker are known. If not, no library counts as missing.
    complete: bool,
}

impl<'f> Libraries<'f> {
    /// Returns the places for the executable at `path`.
    pub(super) fn of(path: &Path, facts: &'f ExecutableFacts) -> Self {
        let cache = LinkerCache::read();
        let mut complete = cache.complete && !preloads();
        let mut directories = Vec::new();
        let origin = fs::canonicalize(path).ok();
        let origin = origin.as_deref().and_then(Path::parent);
        for written in &facts.library_paths {
            match expanded(written, origin) {
                Some(directory) => directories.push(directory),
                None => complete = false,
            }
        }
        if let Some(paths) = env::var_os("LD_LIBRARY_PATH") {
            directories.extend(env::split_paths(&paths));
        }
        directories.extend(default_directories(facts.interpreter.as_deref()));
        Self {
            facts,
            directories,
            cache,
            complete,
        }
    }

    /// Returns the newest C library of this machine: its release and its path.
    pub(super) fn glibc(&self) -> Option<(String, PathBuf)> {
        let mut found: Option<(String, PathBuf)> = None;
        for path in self.candidates(C_LIBRARY) {
            let Some(release) = defined_glibc(&path, &self.facts.processors) else {
                continue;
            };
            if found
                .as_ref()
                .is_none_or(|(other, _)| is_newer(&release, other))
            {
                found = Some((release, path));
            }
        }
        found
    }

    /// Returns whether no library of this name can be found.
    pub(super) fn lacks(&self, name: &str) -> bool {
        let has_subdirectories = |directory: &PathBuf| directory.join("glibc-hwcaps").exists();
        self.complete
            && !name.contains(['/', '$'])
            && self.candidates(name).is_empty()
            && !self.directories.iter().any(has_subdirectories)
    }

    fn candidates(&self, name: &str) -> Vec<PathBuf> {
        let beside = self
            .directories
            .iter()
            .map(|directory| directory.join(name));
        let mut found: Vec<_> = beside.chain(self.cache.paths(name)).collect();
        // A path that cannot be examined counts as an existing file: only certain problems are reported.
        found.retain(|path| {
            fs::metadata(path).map_or_else(
                |error| error.kind() != std::io::ErrorKind::NotFound,
                |_| true,
            )
        });
        found
    }
}

/// Returns whether the linker loads libraries that the executable does not name. One of them may be a library that
/// seems to be missing.
fn preloads() -> bool {
    let variable = env::var_os("LD_PRELOAD").is_some_and(|value| !value.is_empty());
    variable || fs::metadata("/etc/ld.so.preload").is_ok_and(|file| file.len() > 0)
}

/// Returns the directory that a path in the executable stands for. `None`: the path has an unknown variable, or is
/// relative.
fn expanded(written: &str, origin: Option<&Path>) -> Option<PathBuf> {
    let expanded = match origin.and_then(Path::to_str) {
        Some(origin) => written
            .replace("${ORIGIN}", origin)
            .replace("$ORIGIN", origin),
        None => written.to_owned(),
    };
    let path = PathBuf::from(&expanded);
    (path.is_absolute() && !expanded.contains('$')).then_some(path)
}

/// Returns the directories that linkers have built in, by the conventions of several distributions.
fn default_directories(interpreter: Option<&str>) -> Vec<PathBuf> {
    let mut directories = Vec::new();
    for root in ["/lib", "/usr/lib"] {
        directories.extend([PathBuf::from(root), PathBuf::from(format!("{root}64"))]);
        // Debian has a directory for each architecture, such as `x86_64-linux-gnu`.
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        let named =
            entries.filter(|entry| entry.file_name().to_string_lossy().contains("-linux-gnu"));
        directories.extend(named.map(|entry| entry.path()));
    }
    let linker = interpreter.and_then(|linker| fs::canonicalize(linker).ok());
    directories.extend(linker.as_deref().and_then(Path::parent).map(Path::to_owned));
    directories
}

#[cfg(test)]
#[path = "tests/libraries.rs"]
mod tests;
