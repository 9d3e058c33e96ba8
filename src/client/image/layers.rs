//! The layer of each executable, in a temporary file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use crate::archive::{
    ExecutableFacts, ExecutableFormat, LayerEntry, Linking, Target, write_image_layer,
};
use crate::content::{DigestReader, MeteredReader, Step};
use crate::oci::{ImageLayer, ImagePlatform, media_type};

use super::super::client::Client;
use super::super::error::Error;
use super::super::transfer::{UnchangedFile, unreadable};

/// The buffer for copying, in bytes. It is large, so that there are few reads and writes.
const BUFFER: usize = 256 * 1024;

/// An executable for one platform, as a layer.
pub(super) struct Program {
    pub(super) target: Target,
    pub(super) layer: ImageLayer,
    pub(super) file: UnchangedFile,
}

/// Returns whether a container image can hold executables for `target`: its system is Linux.
pub(in crate::client) fn is_for_images(target: &Target) -> bool {
    let (architecture, system) = halves(target);
    ImagePlatform::of(&architecture, &system, false, None).is_some()
        || ImagePlatform::of(&architecture, &system, true, None).is_some()
}

/// Writes a layer for each of the verified executables in `files` to `directory`. `path` is the path in the image, and
/// `modified` the time of modification in seconds since 1970. If several executables are for one platform, the one
/// whose target has the name that hosts look for is used. Blocks.
pub(super) fn programs(
    client: &Client,
    files: &BTreeMap<Target, PathBuf>,
    directory: &Path,
    path: &str,
    modified: u64,
    has_base: bool,
) -> Result<BTreeMap<ImagePlatform, Program>, Error> {
    let mut programs = BTreeMap::new();
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by_key(|(target, _)| (target.usual_name().is_some(), *target));
    for (target, file) in files {
        let facts = ExecutableFacts::read(file)?;
        let (architecture, system) = halves(target);
        let platform =
            ImagePlatform::of(&architecture, &system, facts.big_endian, facts.arm_version);
        let Some(platform) = platform else {
            tracing::warn!("left out {target}: it is not a platform of container images");
            continue;
        };
        if let Some(Program { target: other, .. }) = programs.get(&platform) {
            tracing::warn!("left out {target}: {other} is the executable for {platform}");
            continue;
        }
        if let Some(needs) = needs_base(&facts).filter(|_| !has_base) {
            tracing::warn!(
                "the executable for {target} needs {needs}, which an image without a base does not have"
            );
        }
        let entry = LayerEntry {
            path: path.trim_start_matches('/'),
            size: 0,
            modified,
        };
        let output = directory.join(format!("{target}.layer"));
        let (layer, file) = layer(client, file, entry, &output)?;
        let target = target.clone();
        let program = Program {
            target,
            layer,
            file,
        };
        programs.insert(platform, program);
    }
    Ok(programs)
}

/// Returns what an executable needs and an image without a base lacks.
fn needs_base(facts: &ExecutableFacts) -> Option<String> {
    // The name comes from the file.
    let interpreter = facts.interpreter.as_ref();
    let interpreter = interpreter.map(|name| name.escape_debug().to_string());
    if facts.format == ExecutableFormat::Script {
        return interpreter;
    }
    let is_dynamic = interpreter.is_some() || facts.linking == Some(Linking::Dynamic);
    let interpreter = interpreter.unwrap_or_else(|| "a dynamic linker".to_owned());
    is_dynamic.then(|| format!("{interpreter} and shared libraries"))
}

/// Writes the layer with the executable in `file` to `output`.
fn layer(
    client: &Client,
    file: &Path,
    mut entry: LayerEntry<'_>,
    output: &Path,
) -> Result<(ImageLayer, UnchangedFile), Error> {
    let executable = File::open(file).map_err(unreadable(file))?;
    entry.size = executable.metadata().map_err(unreadable(file))?.len();
    let meter = client.progress.begin(Step::Packing, entry.size);
    let input = BufReader::with_capacity(BUFFER, MeteredReader::new(executable, meter));
    let written = File::create_new(output).and_then(|output| {
        let output = BufWriter::with_capacity(BUFFER, output);
        write_image_layer(input, &entry, output)
    });
    let diff_id = written.map_err(Error::write(output))?;
    let layer = UnchangedFile::open(output)?;
    let mut hashing = BufReader::with_capacity(BUFFER, DigestReader::new(layer.reader()?));
    io::copy(&mut hashing, &mut io::sink()).map_err(unreadable(output))?;
    let descriptor = hashing.into_inner().finish(media_type::IMAGE_LAYER_GZIP);
    let described = ImageLayer {
        descriptor,
        diff_id,
    };
    Ok((described, layer))
}

/// Returns the processor and the system of a target, by the names that hosts look for. The name of a 32-bit Arm
/// processor keeps its version.
fn halves(target: &Target) -> (String, String) {
    let usual = target.usual_name();
    let name = usual.as_deref().unwrap_or(target.as_str());
    let (architecture, system) = name.split_once('-').unwrap_or((name, ""));
    (architecture.to_owned(), system.to_owned())
}
