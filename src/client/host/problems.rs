//! Comparing an executable with this machine.

use std::fs;
use std::io;
use std::path::Path;

use crate::archive::{ExecutableFacts, ExecutableFormat, defined_glibc, is_newer};
use crate::client::error::Error;
use crate::content::is_noexec;

use super::libraries::Libraries;
use super::problem::HostProblem;

/// Returns why this machine cannot start the executable at `path`. Blocks while it reads some kilobytes of the executable
/// and of the libraries of this machine.
///
/// Only certain problems are returned. The libraries that libraries need, symbols, and versions of other libraries than
/// the GNU C library are not checked. On other systems than Linux, only the format, the processor and the presence of a
/// code signature are checked.
///
/// # Errors
///
/// [`Error::Archive`] when the file cannot be read.
pub fn host_problems(path: &Path) -> Result<Vec<HostProblem>, Error> {
    let facts = ExecutableFacts::read(path)?;
    Ok(problems_of(path, &facts))
}

/// Returns why this machine cannot start the executable at `path`. `facts` are those of the executable. Blocks.
pub(in crate::client) fn problems_of(path: &Path, facts: &ExecutableFacts) -> Vec<HostProblem> {
    let mut problems = Vec::new();
    if is_noexec(path) {
        problems.push(HostProblem::NoExec);
    }
    if !is_for_this_machine(facts) {
        problems.extend(other_machine(facts));
        return problems;
    }
    if is_unsigned(facts) {
        problems.push(HostProblem::NotSigned);
    }
    if cfg!(target_os = "linux") {
        problems.extend(missing_interpreter(facts).or_else(|| old_glibc(path, facts)));
        if problems.is_empty() {
            problems.extend(missing_libraries(path, facts));
        }
    }
    problems
}

/// Returns whether the format and the processor are those of this machine, or are not known.
fn is_for_this_machine(facts: &ExecutableFacts) -> bool {
    let is_header_known = !facts.processors.is_empty();
    !is_header_known
        || (runs_format(facts.format) != Some(false) && runs_processor(&facts.processors))
}

/// Returns the problem of an executable for another machine, unless a handler starts its format: an emulator, for
/// example.
fn other_machine(facts: &ExecutableFacts) -> Option<HostProblem> {
    let (format, magic) = match facts.format {
        ExecutableFormat::Elf => ("", "7f454c46"),
        ExecutableFormat::MachO => (" (Mach-O)", "cffaedfe"),
        ExecutableFormat::Pe => (" (PE)", "4d5a"),
        ExecutableFormat::Script | ExecutableFormat::Unknown => return None,
    };
    let is_handled = emulated()
        .iter()
        .any(|handler| handler.magic.starts_with(magic));
    let made_for = format!("{}{format}", facts.processors.join(" and "));
    (!is_handled).then_some(HostProblem::OtherMachine(made_for))
}

/// Returns whether this system runs executables of a format. `None` for a system that is not known.
fn runs_format(format: ExecutableFormat) -> Option<bool> {
    let own = match std::env::consts::OS {
        "linux" | "android" => ExecutableFormat::Elf,
        "macos" => ExecutableFormat::MachO,
        "windows" => ExecutableFormat::Pe,
        _ => return None,
    };
    Some(format == own)
}

/// Returns whether a machine like this one can run one of the processors' code. Most 64-bit processors also run the code
/// of the 32-bit ones, and macOS and Windows on arm64 translate that of x86-64.
fn runs_processor(processors: &[String]) -> bool {
    let own = std::env::consts::ARCH;
    let also: &[&str] = match (own, std::env::consts::OS) {
        ("x86_64", _) => &["x86"],
        ("aarch64", "macos" | "windows") => &["arm", "x86", "x86_64"],
        ("aarch64", _) => &["arm"],
        ("x86", _) => &["x86_64"],
        ("arm", _) => &["aarch64"],
        ("powerpc64" | "mips64" | "riscv64" | "s390x", _) => &["powerpc", "mips", "riscv32"],
        _ => &[],
    };
    processors
        .iter()
        .any(|processor| processor == own || also.contains(&processor.as_str()))
}

/// A program that Linux starts for a kind of file (`binfmt_misc`).
pub(in crate::client) struct Handler {
    /// The name of the handler, such as `qemu-aarch64`.
    pub(in crate::client) name: String,
    /// The first bytes of the files that the handler starts, in hexadecimal digits.
    magic: String,
}

/// Returns the handlers of this machine. Empty in a container that cannot list them.
pub(in crate::client) fn emulated() -> Vec<Handler> {
    let Ok(entries) = fs::read_dir("/proc/sys/fs/binfmt_misc") else {
        return Vec::new();
    };
    let handlers = entries.flatten().filter_map(|entry| {
        let text = fs::read_to_string(entry.path()).ok()?;
        let magic = text.lines().find_map(|line| line.strip_prefix("magic "))?;
        let is_enabled = text.starts_with("enabled");
        is_enabled.then(|| Handler {
            name: entry.file_name().to_string_lossy().into_owned(),
            magic: magic.to_owned(),
        })
    });
    handlers.collect()
}

fn is_unsigned(facts: &ExecutableFacts) -> bool {
    let is_own = facts
        .processors
        .iter()
        .any(|processor| processor == "aarch64");
    cfg!(all(target_os = "macos", target_arch = "aarch64")) && is_own && facts.signed == Some(false)
}

fn missing_interpreter(facts: &ExecutableFacts) -> Option<HostProblem> {
    let interpreter = match facts.format {
        ExecutableFormat::Script => facts.interpreter.as_deref()?.split([' ', '\t']).next()?,
        _ => facts.interpreter.as_deref()?,
    };
    // A relative path depends on the directory in which the executable is started.
    let found = Path::new(interpreter);
    let is_missing = |error: io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        )
    };
    let is_missing = found.is_absolute() && fs::metadata(found).is_err_and(is_missing);
    is_missing.then(|| HostProblem::MissingInterpreter(interpreter.to_owned()))
}

/// Returns whether the interpreter is the dynamic linker of the GNU C library. Others can have its name: on Alpine,
/// gcompat does.
fn is_glibc(facts: &ExecutableFacts) -> bool {
    let linker = facts
        .interpreter
        .as_deref()
        .filter(|_| facts.is_for_glibc());
    linker.is_some_and(|linker| defined_glibc(Path::new(linker), &facts.processors).is_some())
}

fn old_glibc(path: &Path, facts: &ExecutableFacts) -> Option<HostProblem> {
    let needs = facts.glibc.as_ref()?;
    if !is_glibc(facts) {
        return None;
    }
    // With several libraries of that name, the newest one counts.
    let (has, library) = Libraries::of(path, facts).glibc()?;
    is_newer(needs, &has).then(|| HostProblem::OldGlibc {
        needs: needs.clone(),
        has,
        library,
    })
}

fn missing_libraries(path: &Path, facts: &ExecutableFacts) -> Vec<HostProblem> {
    if facts.libraries.is_empty() || !is_glibc(facts) {
        return Vec::new();
    }
    let libraries = Libraries::of(path, facts);
    let missing = facts.libraries.iter().filter(|name| libraries.lacks(name));
    missing.cloned().map(HostProblem::MissingLibrary).collect()
}
