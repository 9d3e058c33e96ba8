//! `par cache which`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueHint;
use serde_json::{Value, json};

use crate::cache::{self, Cache, CachedExecutable};
use crate::cli::output::{Answer, path_text};
use crate::cli::session::Session;
use crate::client::describe_cache;

use super::list::aligned;

/// Print which provider an executable in the cache is, or a process that runs one
///
/// Prints a line for each reference to the provider: the reference, the target, the digest of the manifest, the
/// provider, its issuer, and the name and the version. The exit code is 3 if the executable is not from this cache.
/// Processes can be looked up on Linux only.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  par cache which 4711
  par cache which \"$(par fetch ghcr.io/org/provider:1.0.0)\"")]
pub(crate) struct Args {
    /// The path that `par fetch` has printed, or the number of a process. Write a file whose name is a number as
    /// `./4711`
    #[arg(value_name = "PATH|PID", value_hint = ValueHint::FilePath)]
    what: OsString,
}

pub(super) fn run(args: &Args, session: &Session) -> Result<Answer> {
    let process = args.what.to_str().and_then(number);
    let paths = match process {
        Some(process) => process_paths(process)?,
        None => vec![PathBuf::from(&args.what)],
    };
    let (path, known) = find(paths, session)?;
    if known.providers.is_empty() {
        session.note(
            "the cache does not know which provider this executable is: the next fetch records it",
        );
    }
    let rows = known.providers.iter().map(|row| {
        let targets: Vec<&str> = row.targets.keys().map(String::as_str).collect();
        let name = row.name.iter().chain(&row.version);
        vec![
            row.reference.clone(),
            targets.join(","),
            row.digest.to_string(),
            row.subject.clone(),
            row.issuer.clone(),
            name.map(String::as_str).collect::<Vec<_>>().join(" "),
        ]
    });
    let providers = known.providers.iter().map(|row| {
        json!({
            "reference": row.reference,
            "digest": row.digest.to_string(),
            "targets": row.targets.keys().collect::<Vec<_>>(),
            "service": row.subject,
            "issuer": row.issuer,
            "name": row.name,
            "version": row.version,
            "offline": row.offline,
        })
    });
    Ok(Answer::lines(aligned(&rows.collect::<Vec<_>>()))
        .field("file", path_text(&path))
        .field("process", process)
        .field("executable", known.executable.to_string())
        .field("cached", known.cached)
        .field("providers", providers.collect::<Value>()))
}

/// Returns the number of a process, if `text` is one.
fn number(text: &str) -> Option<u32> {
    let is_number = text.chars().all(|character| character.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Returns the first of `paths` that is an executable of the cache.
fn find(paths: Vec<PathBuf>, session: &Session) -> Result<(PathBuf, CachedExecutable)> {
    let unknown = |path: &Path| cache::Error::NotAnExecutable(path.to_owned());
    let first = paths.first().cloned().unwrap_or_default();
    let Some(cache) = Cache::open_existing(session.cache_directory())? else {
        return Err(unknown(&first).into());
    };
    describe_cache(&cache)?;
    for path in paths {
        match cache.which(&path) {
            Err(cache::Error::NotAnExecutable(_)) => {}
            known => return Ok((path, known?)),
        }
    }
    Err(unknown(&first).into())
}

#[cfg(target_os = "linux")]
use linux::process_paths;

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::fs::{File, read_link};
    use std::io::{self, Read};
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use anyhow::Result;

    use crate::cli::output::Failure;
    use crate::content::{ErrorKind, read_bounded};

    /// The text that the system appends to the path of a removed executable (`proc_pid_exe(5)`).
    const DELETED: &[u8] = b" (deleted)";
    /// How many characters of the name of a process the system keeps (`proc_pid_comm(5)`).
    const COMM: usize = 15;
    /// How many bytes of the arguments of a process are read.
    const ARGUMENTS: u64 = 64 * 1024;

    /// Returns the path of the executable that the process `number` runs. If that is an interpreter, returns also the
    /// path of the script.
    pub(super) fn process_paths(number: u32) -> Result<Vec<PathBuf>> {
        let process = PathBuf::from(format!("/proc/{number}"));
        let executable = read_link(process.join("exe")).map_err(|error| {
            let kind = ErrorKind::of_io(&error);
            let message = match kind {
                ErrorKind::NotFound => format!("there is no process {number}"),
                _ => format!("cannot look up the process {number}: {error}"),
            };
            Failure::new(kind, message)
        })?;
        let mut paths = vec![without_mark(executable)];
        paths.extend(script(&process).ok().flatten());
        Ok(paths)
    }

    fn without_mark(path: PathBuf) -> PathBuf {
        match path.as_os_str().as_bytes().strip_suffix(DELETED) {
            Some(bytes) if !path.exists() => PathBuf::from(OsStr::from_bytes(bytes)),
            _ => path,
        }
    }

    /// Returns the path of the script that a process runs. The interpreter gets the path as an argument. Linux names
    /// the process after the script, so the file name of this argument is the name of the process.
    fn script(process: &Path) -> io::Result<Option<PathBuf>> {
        let name = read_bounded(File::open(process.join("comm"))?, ARGUMENTS)?;
        let name = name.trim_ascii_end();
        let mut arguments = Vec::new();
        let file = File::open(process.join("cmdline"))?;
        file.take(ARGUMENTS).read_to_end(&mut arguments)?;
        let mut arguments = arguments.split(|byte| *byte == 0).skip(1).take(2);
        let is_script = |argument: &&[u8]| {
            let path = Path::new(OsStr::from_bytes(argument));
            let file = path.file_name().unwrap_or_default().as_bytes();
            path.is_absolute() && !name.is_empty() && file.get(..COMM).unwrap_or(file) == name
        };
        let script = arguments.find(is_script);
        Ok(script.map(|path| PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()))))
    }
}

#[cfg(not(target_os = "linux"))]
fn process_paths(_: u32) -> Result<Vec<PathBuf>> {
    anyhow::bail!("processes cannot be looked up on this system: give the path of the executable")
}
