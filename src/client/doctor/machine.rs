//! Whether this machine can run providers at all.

use std::path::Path;
use std::time::Duration;

use crate::cache::Cache;
use crate::client::error::Error;
use crate::client::host::{CLibrary, c_libraries, emulated};
use crate::content::{is_noexec, with_causes};

use super::finding::{Advice, Check, Finding, Verdict};

/// The fewest open files that a host with some providers gets along with.
const FEW_FILES: u64 = 1024;
/// The largest difference between two clocks with which tokens and the dates of claims still work.
const SKEW: Duration = Duration::from_secs(60);

/// Checks what executables need on this machine. Checks also the cache: `cache` is the result of opening it. Blocks.
pub(super) fn check(cache: Result<&Cache, Error>) -> Vec<Finding> {
    let mut findings = vec![architecture(), c_library()];
    findings.push(match &cache {
        Ok(cache) => writable(cache.directory()),
        Err(error) => {
            let verdict = Verdict::Failed(error.kind());
            Finding::new(Check::Cache, verdict, with_causes(error))
        }
    });
    if let Ok(cache) = cache {
        findings.push(noexec(cache.directory()));
    }
    findings.push(open_files());
    findings
}

fn architecture() -> Finding {
    let mut said = format!(
        "this machine runs executables for {}-{}",
        std::env::consts::ARCH,
        std::env::consts::OS
    );
    let handlers = emulated();
    if !handlers.is_empty() {
        let names: Vec<_> = handlers.into_iter().map(|handler| handler.name).collect();
        said = format!("{said}, and others by {}", names.join(", "));
    }
    Finding::good(Check::Architecture, said)
}

fn c_library() -> Finding {
    let check = Check::CLibrary;
    let Some(libraries) = c_libraries() else {
        return Finding::new(
            check,
            Verdict::Skipped,
            "the C library is known on Linux only",
        );
    };
    let text = |library: &CLibrary| match library {
        CLibrary::Gnu(linker, Some(release)) => format!("GLIBC {release} ({})", linker.display()),
        CLibrary::Gnu(linker, None) => format!("a GNU C library ({})", linker.display()),
        CLibrary::Musl(linker) => format!("musl ({})", linker.display()),
    };
    let found: Vec<_> = libraries.iter().map(text).collect();
    if found.is_empty() {
        let said = "it has no dynamic linker that is known: only static executables start";
        return Finding::limited(check, said).advice(Advice::UseStatic);
    }
    let said = format!("it has {}", found.join(" and "));
    Finding::good(check, said)
}

fn writable(directory: &Path) -> Finding {
    let check = Check::Cache;
    match tempfile::tempfile_in(directory) {
        Ok(_) => Finding::good(check, format!("{} can be written to", directory.display())),
        Err(error) => {
            let said = format!("{} cannot be written to: {error}", directory.display());
            Finding::limited(check, said).advice(Advice::UseOtherCache)
        }
    }
}

fn noexec(directory: &Path) -> Finding {
    let (check, path) = (Check::NoExec, directory.display());
    if is_noexec(directory) {
        let verdict = Verdict::Failed(crate::content::ErrorKind::Other);
        let said = format!("nothing in {path} can be started: it is mounted with `noexec`");
        return Finding::new(check, verdict, said).advice(Advice::UseOtherCache);
    }
    Finding::good(check, format!("executables in {path} can be started"))
}

#[cfg(unix)]
fn open_files() -> Finding {
    use rustix::process::{Resource, getrlimit};
    let check = Check::OpenFiles;
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < FEW_FILES => {
            let said = format!("a process can open only {limit} files");
            Finding::limited(check, said).advice(Advice::RaiseOpenFiles)
        }
        Some(limit) => Finding::good(check, format!("a process can open {limit} files")),
        None => Finding::good(check, "a process can open any number of files"),
    }
}

#[cfg(not(unix))]
fn open_files() -> Finding {
    let said = "this system has no such limit, or it is not known";
    Finding::new(Check::OpenFiles, Verdict::Skipped, said)
}

/// Returns the finding about the clock of this machine: `Ok` is how far it is ahead of the registry's, `Err` how far it
/// is behind.
pub(super) fn clock(skew: Result<Duration, Duration>) -> Finding {
    let check = Check::Clock;
    let (difference, word) = match skew {
        Ok(later) => (later, "ahead of"),
        Err(earlier) => (earlier, "behind"),
    };
    if difference <= SKEW {
        return Finding::good(check, "the clock agrees with that of the registry");
    }
    let seconds = difference.as_secs();
    let said = format!("the clock is {seconds} seconds {word} that of the registry");
    Finding::limited(check, said).advice(Advice::SetClock)
}

#[cfg(test)]
#[path = "tests/machine.rs"]
mod tests;
