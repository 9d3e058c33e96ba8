//! What tags stood for, and when that was last confirmed.

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::content::{AtomicFile, Descriptor, is_too_large, open_regular, read_bounded, unix_time};

use super::error::Error;
use super::lock::Lock;
use super::lookup::note_use;
use super::open::Cache;

/// The largest record that is read, in bytes. A record has a few hundred bytes.
const RECORD_LIMIT: u64 = 64 * 1024;

/// What the cache knows of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Record {
    /// The manifest that the tag stood for.
    pub descriptor: Descriptor,
    /// How many bytes of content the manifest names. `None` when that is not known.
    pub content: Option<u64>,
    /// When the registry last confirmed the tag. This is in the future if a clock was wrong.
    pub confirmed: SystemTime,
    /// The directory of the image layout that the tag is in, for people: the name of its record does not show
    /// it. `None` for a tag in a registry.
    pub layout: Option<String>,
}

/// A record as it is written on disk.
#[derive(Serialize, Deserialize)]
struct StoredRecord {
    #[serde(flatten)]
    descriptor: Descriptor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<u64>,
    /// In seconds since 1970.
    confirmed: u64,
    /// The fraction of the second, which orders two confirmations within one second.
    #[serde(default)]
    nanoseconds: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layout: Option<String>,
}

impl From<StoredRecord> for Record {
    fn from(stored: StoredRecord) -> Self {
        let nanoseconds = stored.nanoseconds.min(999_999_999);
        Self {
            descriptor: stored.descriptor,
            content: stored.content,
            confirmed: unix_time(stored.confirmed) + Duration::from_nanos(nanoseconds.into()),
            layout: stored.layout,
        }
    }
}

impl From<&Record> for StoredRecord {
    fn from(record: &Record) -> Self {
        let confirmed = record.confirmed.duration_since(UNIX_EPOCH);
        let confirmed = confirmed.unwrap_or_default();
        Self {
            descriptor: record.descriptor.clone(),
            content: record.content,
            confirmed: confirmed.as_secs(),
            nanoseconds: confirmed.subsec_nanos(),
            layout: record.layout.clone(),
        }
    }
}

impl Record {
    /// Makes the record of a tag for which a registry gave `descriptor` at the time `confirmed`. `content` is
    /// how many bytes of content the manifest names, if that is known.
    #[must_use]
    pub(crate) fn new(
        descriptor: &Descriptor,
        content: Option<u64>,
        confirmed: SystemTime,
    ) -> Self {
        Self {
            descriptor: descriptor.clone(),
            content,
            confirmed,
            layout: None,
        }
    }

    /// Returns the reference, as users write it, of the tag that is recorded under `name`.
    pub(super) fn reference(&self, name: String) -> String {
        match (&self.layout, name.rsplit_once(':')) {
            (Some(directory), Some((_, tag))) => format!("oci-layout://{directory}:{tag}"),
            _ => name,
        }
    }
}

impl Cache {
    /// Returns what the cache knows of `registry/repository:tag`, and notes the use. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::NoReference`] when there is no record, or a damaged one; [`Error::File`].
    pub(crate) fn recorded(&self, name: &str) -> Result<Record, Error> {
        self.read_record(name, true)
    }

    /// Returns what the cache knows of `registry/repository:tag`, without a use.
    pub(super) fn listed(&self, name: &str) -> Result<Record, Error> {
        self.read_record(name, false)
    }

    fn read_record(&self, name: &str, is_use: bool) -> Result<Record, Error> {
        let path = self.paths.reference(name)?;
        let text = open_regular(&path).and_then(|(file, _)| {
            let used = if is_use {
                SystemTime::now()
            } else {
                file.metadata()?.accessed()?
            };
            let text = read_bounded(&file, RECORD_LIMIT);
            note_use(&file, &path, used);
            text
        });
        match text {
            // A damaged record counts as none: the next confirmation replaces it.
            Ok(text) => serde_json::from_slice::<StoredRecord>(&text)
                .map(Record::from)
                .map_err(|_| Error::NoReference(name.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound || is_too_large(&error) => {
                Err(Error::NoReference(name.to_owned()))
            }
            Err(error) => Err(Error::file(&path)(error)),
        }
    }

    /// Records what `registry/repository:tag` stands for, unless a later confirmation is recorded. Blocks
    /// while another task records a tag of the repository.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedName`], [`Error::File`], [`Error::Directory`].
    pub(crate) fn record(&self, name: &str, record: &Record) -> Result<(), Error> {
        let path = self.paths.reference(name)?;
        self.paths.create_parent(&path)?;
        let lock = self.paths.reference_lock(name)?;
        let _lock = Lock::wait_for(&lock).map_err(Error::file(&lock))?;
        if let Ok(known) = self.listed(name)
            && known.confirmed > record.confirmed
            // A confirmation in the future comes from a clock that was wrong.
            && known.confirmed <= SystemTime::now()
        {
            return Ok(());
        }
        let write = || {
            let text = serde_json::to_vec(&StoredRecord::from(record)).map_err(io::Error::other)?;
            let mut file = AtomicFile::create(&path)?;
            file.write_all(&text)?;
            file.commit()
        };
        write().map(drop).map_err(Error::file(&path))
    }
}

#[cfg(test)]
#[path = "tests/references.rs"]
mod tests;
