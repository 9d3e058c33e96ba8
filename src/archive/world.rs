//! WIT worlds: encoding a directory of WIT files, and printing an encoded world.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use wit_component::{DecodedWasm, WitPrinter};
use wit_parser::{Resolve, TypeDefKind};

use super::error::Error;

/// The bytes before the version of the encoder, in the section `producers` of an encoded world.
const ENCODER: &[u8] = b"\x0dwit-component";

/// The first minor version of `wit-component` 0 with the present encoding. Until then, futures and error contexts had the
/// bytes 0x67 and 0x65, which now mean lists of a fixed size and futures. `wash` 0.43 encodes with 0.224.
const PRESENT_ENCODING: u64 = 226;

/// The name of the thread that reads WIT. The parser panics on some malformed worlds.
pub(crate) const WIT_THREAD: &str = "wit";

/// The stack of that thread, in bytes, for types that are nested deep: the parser limits the depth to a million. The memory
/// is only reserved.
const STACK: usize = 1 << 30;

/// The most bytes of WIT that are encoded, and the most files.
const MOST_BYTES: u64 = 64 << 20;
const MOST_FILES: usize = 10_000;

/// The longest message of the parser that is kept, in characters. It quotes lines of the source.
const LONGEST_REASON: usize = 4000;

/// Encodes the WIT package in `directory` and its dependencies in `deps/`, as `wash` does.
///
/// # Errors
///
/// [`Error::Read`] when the directory cannot be read, and [`Error::Wit`] with the message of the parser when it
/// holds no valid package, or more than 10,000 files or 64 MiB, or when the encoded world could not be printed.
pub fn encode_world(directory: &Path) -> Result<Vec<u8>, Error> {
    let place = directory.display().to_string();
    // Checked here, because the parser would report another reason and another path.
    let found = fs::metadata(directory).map_err(|source| Error::read(directory, source))?;
    if !found.is_dir() {
        return Err(wit_error(place, "not a directory".to_owned()));
    }
    // The parser reads whatever it finds.
    let mut seen = Seen::default();
    seen.check(directory)?;
    let dependencies = directory.join("deps");
    if dependencies.is_dir() {
        seen.check(&dependencies)?;
    }
    on_wit_thread(
        |reason| wit_error(place, reason),
        || {
            let mut resolve = Resolve::default();
            let (package, _) = resolve
                .push_dir(directory)
                .map_err(|source| format!("{source:#}"))?;
            let world = wit_component::encode(&resolve, package);
            let world = world.map_err(|source| format!("{source:#}"))?;
            // The decoder has limits that the encoder does not check.
            print(&world)
                .map_err(|reason| format!("the encoded world cannot be read: {reason}"))?;
            Ok(world)
        },
    )
}

/// The files of a WIT directory that were found so far.
#[derive(Default)]
struct Seen {
    files: usize,
    bytes: u64,
}

impl Seen {
    /// Refuses what the parser cannot read to its end: pipes, devices, and too much. Looks into the directories in
    /// `directory`, as the parser does with `deps/`.
    fn check(&mut self, directory: &Path) -> Result<(), Error> {
        for path in entries(directory)? {
            if path.is_dir() {
                for path in entries(&path)? {
                    self.add(&path)?;
                }
            } else {
                self.add(&path)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path) -> Result<(), Error> {
        // A link to nowhere is left to the parser.
        let Ok(found) = fs::metadata(path) else {
            return Ok(());
        };
        if found.is_dir() {
            return Ok(());
        }
        if !found.is_file() {
            let reason = "not a file".to_owned();
            return Err(wit_error(path.display().to_string(), reason));
        }
        self.files += 1;
        self.bytes = self.bytes.saturating_add(found.len());
        if self.files > MOST_FILES || self.bytes > MOST_BYTES {
            let most = MOST_BYTES >> 20;
            let reason = format!("there are more than {MOST_FILES} files or {most} MiB of WIT");
            return Err(wit_error(path.display().to_string(), reason));
        }
        Ok(())
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let read_error = |source| Error::read(directory, source);
    let entries = fs::read_dir(directory).map_err(read_error)?;
    let paths = entries.map(|entry| Ok(entry.map_err(read_error)?.path()));
    paths.take(MOST_FILES + 1).collect()
}

/// Runs `work` on a thread with a large stack. When it fails, `error` gets the reason, at most as long as is kept.
fn on_wit_thread<T: Send>(
    error: impl FnOnce(String) -> Error,
    work: impl FnOnce() -> Result<T, String> + Send,
) -> Result<T, Error> {
    let outcome = thread::scope(|scope| {
        let builder = thread::Builder::new();
        let builder = builder.name(WIT_THREAD.to_owned()).stack_size(STACK);
        let working = builder.spawn_scoped(scope, work).map_err(Error::Thread)?;
        let panicked = |_| Err("the parser failed on it".to_owned());
        Ok::<_, Error>(working.join().unwrap_or_else(panicked))
    });
    outcome?.map_err(|mut reason| {
        if let Some((end, _)) = reason.char_indices().nth(LONGEST_REASON) {
            reason.truncate(end);
            reason.push('…');
        }
        error(reason)
    })
}

fn wit_error(place: String, reason: String) -> Error {
    Error::Wit { place, reason }
}

/// Returns the text form of an encoded world.
///
/// # Errors
///
/// [`Error::UnreadableWorld`] when the bytes are not an encoded world, or have a future in the encoding of `wash` 0.43,
/// which would be taken for another type.
pub fn print_world(world: &[u8]) -> Result<String, Error> {
    on_wit_thread(|reason| Error::UnreadableWorld { reason }, || print(world))
}

fn print(world: &[u8]) -> Result<String, String> {
    let old = encoder(world).filter(|encoder| encoder.is_old());
    let decoded = wit_component::decode(world).map_err(|source| {
        let by = old.map(|encoder| format!("; it was encoded by {encoder}"));
        format!("{source:#}{}", by.unwrap_or_default())
    })?;
    if let DecodedWasm::Component(..) = decoded {
        return Err("it is a component, not a WIT package".to_owned());
    }
    let resolve = decoded.resolve();
    if let Some(encoder) = old
        && has_future(resolve)
    {
        return Err(format!(
            "it has a future, and was encoded by {encoder}, whose encoding of futures now means another type"
        ));
    }
    let main = decoded.package();
    let mut nested: Vec<_> = resolve.packages.iter().map(|(id, _)| id).collect();
    nested.retain(|id| *id != main);
    let mut printer = WitPrinter::default();
    let printed = printer.print(resolve, main, &nested);
    printed.map_err(|source| format!("{source:#}"))?;
    Ok(printer.output.to_string())
}

/// Whether a world in the old encoding has a future or an error context, which are read as these types.
fn has_future(resolve: &Resolve) -> bool {
    let mut types = resolve.types.iter();
    types.any(|(_, found)| {
        let kind = &found.kind;
        matches!(
            kind,
            TypeDefKind::FixedSizeList(..) | TypeDefKind::Future(_)
        )
    })
}

/// A version of `wit-component`.
#[derive(Clone, Copy)]
struct Encoder<'a>(&'a str);

impl Encoder<'_> {
    /// Whether its encoding differs from the present one.
    fn is_old(&self) -> bool {
        let minor = self
            .0
            .strip_prefix("0.")
            .and_then(|rest| rest.split('.').next());
        minor.is_some_and(|minor| {
            minor
                .parse()
                .is_ok_and(|minor: u64| minor < PRESENT_ENCODING)
        })
    }
}

impl fmt::Display for Encoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wit-component {}", self.0)
    }
}

/// Returns the encoder of a world, if the world names it.
fn encoder(world: &[u8]) -> Option<Encoder<'_>> {
    let mut windows = world.windows(ENCODER.len());
    let start = windows.rposition(|found| found == ENCODER)? + ENCODER.len();
    let (length, rest) = world.get(start..)?.split_first()?;
    let version = rest.get(..usize::from(*length))?;
    std::str::from_utf8(version).ok().map(Encoder)
}
