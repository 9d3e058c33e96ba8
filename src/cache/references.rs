//! Records of tags: the manifest that a tag named, and when the registry last confirmed it.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::content::{AtomicFile, Descriptor, is_too_large, read_bounded, unix_time};

use super::error::Error;
use super::files::open_file;
use super::last_use::{LastUse, note_use};
use super::lock::Lock;
use super::open::Cache;

/// The largest record that is read, in bytes. A record has a few hundred bytes.
const RECORD_LIMIT: u64 = 64 * 1024;

/// The record of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The manifest that the tag named.
    #[serde(flatten)]
    pub descriptor: Descriptor,
    /// The size of the content that the manifest names, in bytes. `None` when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<u64>,
    /// The time at which the registry last confirmed the tag. It may be in the future if a clock was wrong.
    #[serde(flatten, serialize_with = "write_time", deserialize_with = "read_time")]
    pub confirmed: SystemTime,
    /// The directory of the image layout with this tag, or the reference to its file, so that it can be shown to users.
    /// The name of the record does not contain it. `None` for a tag in a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
}

/// The form of a record on disk.
#[derive(Serialize, Deserialize)]
struct Stored<R> {
    #[serde(flatten)]
    record: R,
    /// The tag, as `registry/repository:tag`. On a file system that ignores case, tags that differ only in case have
    /// one file. `None` in a record of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// The form of a time on disk.
#[derive(Serialize, Deserialize)]
struct StoredTime {
    /// Whole seconds since 1970.
    confirmed: u64,
    /// The fraction of the second. It gives the order of two confirmations within one second.
    #[serde(default)]
    nanoseconds: u32,
}

fn write_time<S: Serializer>(time: &SystemTime, output: S) -> Result<S::Ok, S::Error> {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (confirmed, nanoseconds) = (since.as_secs(), since.subsec_nanos());
    StoredTime {
        confirmed,
        nanoseconds,
    }
    .serialize(output)
}

fn read_time<'de, D: Deserializer<'de>>(input: D) -> Result<SystemTime, D::Error> {
    let stored = StoredTime::deserialize(input)?;
    let nanoseconds = stored.nanoseconds.min(999_999_999).into();
    Ok(unix_time(stored.confirmed) + Duration::from_nanos(nanoseconds))
}

/// The replacements of `/` and `:` in the name of a record.
const SEPARATORS: [(&str, &str); 2] = [("/", "[s]"), (":", "[c]")];

impl Record {
    /// Returns `name` in the form that the tag of a record has. In an image layout, the name of a manifest can be a
    /// whole reference with slashes and colons.
    pub(crate) fn tag_of(name: &str) -> String {
        let separators = SEPARATORS.into_iter();
        separators.fold(name.to_owned(), |name, (separator, instead)| {
            name.replace(separator, instead)
        })
    }

    /// Returns the reference of the tag that is recorded under `name`, in the form that users write.
    pub(super) fn reference(&self, name: String) -> String {
        match (&self.layout, name.rsplit_once(':')) {
            (Some(place), Some((_, tag))) => {
                let separators = SEPARATORS.into_iter();
                let tag = separators.fold(tag.to_owned(), |tag, (separator, instead)| {
                    tag.replace(instead, separator)
                });
                // A path is absolute, so it has no scheme.
                let scheme = if place.contains("://") {
                    ""
                } else {
                    "oci-layout://"
                };
                format!("{scheme}{place}:{tag}")
            }
            _ => name,
        }
    }
}

impl Cache {
    /// Returns the record of `registry/repository:tag`, and records the use. Fails with [`Error::NoReference`] when
    /// there is no record or when it is damaged. Blocks.
    pub(crate) fn recorded(&self, name: &str) -> Result<Record, Error> {
        match self.read_record(name, true)? {
            (tag, record) if tag == name => Ok(record),
            _ => Err(Error::NoReference(name.to_owned())),
        }
    }

    /// Returns the record in the file of `registry/repository:tag`, and the name of its tag, which may differ in case.
    /// This does not count as a use.
    pub(super) fn listed(&self, name: &str) -> Result<(String, Record), Error> {
        self.read_record(name, false)
    }

    fn read_record(&self, name: &str, is_use: bool) -> Result<(String, Record), Error> {
        let path = self.paths.reference(name)?;
        let read = |file| {
            let last_use = LastUse::of(&file)?;
            let text = read_bounded(&file, RECORD_LIMIT);
            if is_use {
                note_use(&file, &path);
            } else {
                last_use.restore(&file, &path);
            }
            text
        };
        let text = open_file(&path).and_then(|file| file.map(read).transpose());
        // A damaged record is ignored. The next confirmation replaces it.
        let stored: Option<Stored<Record>> = match text {
            Ok(text) => text.and_then(|text| serde_json::from_slice(&text).ok()),
            Err(error) if is_too_large(&error) => None,
            Err(error) => return Err(Error::file(&path)(error)),
        };
        let missing = || Error::NoReference(name.to_owned());
        let Stored { record, name: tag } = stored.ok_or_else(missing)?;
        let tag = tag.unwrap_or_else(|| name.to_owned());
        if tag.eq_ignore_ascii_case(name) {
            Ok((tag, record))
        } else {
            Err(missing())
        }
    }

    /// Stores the record of `registry/repository:tag`, unless a record with a later confirmation exists. Blocks while
    /// another task stores a record of a tag of this repository.
    pub(crate) fn record(&self, name: &str, record: &Record) -> Result<(), Error> {
        let path = self.paths.reference(name)?;
        self.paths.make_way(&path)?;
        let lock = self.paths.reference_lock(name)?;
        self.paths.make_way(&lock)?;
        let _lock = Lock::wait_for(&lock).map_err(Error::file(&lock))?;
        if let Ok((tag, known)) = self.listed(name)
            && tag == name
            && known.confirmed > record.confirmed
            // A confirmation in the future comes from a wrong clock.
            && known.confirmed <= SystemTime::now()
        {
            return Ok(());
        }
        let name = Some(name.to_owned());
        serde_json::to_vec(&Stored { record, name })
            .map_err(io::Error::other)
            .and_then(|text| AtomicFile::create(&path)?.commit_with(&text))
            .map_err(Error::file(&path))
    }
}

#[cfg(test)]
#[path = "tests/references.rs"]
mod tests;
