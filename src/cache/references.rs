//! What a tag pointed to, and when that was last confirmed.

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::content::{AtomicFile, Descriptor, is_too_large, open_regular, read_bounded};

use super::Cache;
use super::content::note_use;
use super::error::Error;

/// A record is a few hundred bytes.
const LONGEST_RECORD: u64 = 64 * 1024;

/// What is known of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The manifest that the tag pointed to.
    #[serde(flatten)]
    pub descriptor: Descriptor,
    /// How many bytes of content the manifest names; `None` when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<u64>,
    /// When the registry last confirmed that, in seconds since 1970,
    pub confirmed: u64,
    /// and how many nanoseconds later: of two answers within a second, one is newer.
    #[serde(default)]
    pub nanoseconds: u32,
    /// The folder of the image layout that the tag is in, for people: of layouts, names tell nothing.
    /// `None` in a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
}

impl Record {
    /// A registry has confirmed, at that time, that a tag points to `descriptor`, which names so many bytes
    /// of content.
    #[must_use]
    pub fn new(descriptor: &Descriptor, content: Option<u64>, confirmed: SystemTime) -> Self {
        let confirmed = confirmed.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            descriptor: descriptor.clone(),
            content,
            confirmed: confirmed.as_secs(),
            nanoseconds: confirmed.subsec_nanos(),
            layout: None,
        }
    }

    /// How users write what is recorded under `name`.
    pub(super) fn reference(&self, name: String) -> String {
        match (&self.layout, name.rsplit_once(':')) {
            (Some(folder), Some((_, tag))) => format!("oci-layout://{folder}:{tag}"),
            _ => name,
        }
    }

    /// When the registry last confirmed that. It can be in the future, when a clock was wrong.
    #[must_use]
    pub fn confirmed_at(&self) -> SystemTime {
        // The end of the year 9999: no later date can be written down.
        const LAST: u64 = 253_402_300_799;
        let nanoseconds = self.nanoseconds.min(999_999_999);
        UNIX_EPOCH + Duration::new(self.confirmed.min(LAST), nanoseconds)
    }
}

impl Cache {
    /// What is known of `registry/repository:tag`. It is noted as used.
    ///
    /// # Errors
    ///
    /// [`Error::NoReference`] when nothing is, or nothing that can be read; [`Error::File`].
    pub fn recorded(&self, name: &str) -> Result<Record, Error> {
        self.read_record(name, true)
    }

    /// The same for who looks at everything, which is no use.
    pub(super) fn listed(&self, name: &str) -> Result<Record, Error> {
        self.read_record(name, false)
    }

    fn read_record(&self, name: &str, is_use: bool) -> Result<Record, Error> {
        let path = self.paths.reference(name)?;
        let text = open_regular(&path).and_then(|(file, _)| {
            let used = match is_use {
                true => SystemTime::now(),
                false => file.metadata()?.accessed()?,
            };
            let text = read_bounded(&file, LONGEST_RECORD);
            note_use(&file, &path, used);
            text
        });
        match text {
            // A damaged record is as good as none: it will be written again.
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|_| Error::NoReference(name.to_owned()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound || is_too_large(&error) => {
                Err(Error::NoReference(name.to_owned()))
            }
            Err(error) => Err(Error::file(&path)(error)),
        }
    }

    /// Records what `registry/repository:tag` points to, unless something is recorded that was confirmed
    /// later.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedName`], [`Error::File`].
    pub fn record(&self, name: &str, record: &Record) -> Result<(), Error> {
        let path = self.paths.reference(name)?;
        if let Ok(known) = self.recorded(name)
            // In the future, as a wrong clock had it, nothing is confirmed.
            && known.confirmed_at() > record.confirmed_at()
            && known.confirmed_at() <= SystemTime::now()
        {
            return Ok(());
        }
        self.paths.create_parent(&path)?;
        let text = serde_json::to_vec(record).map_err(io::Error::other);
        text.and_then(|text| {
            let mut file = AtomicFile::create(&path)?;
            file.write_all(&text)?;
            file.commit()
        })
        .map(drop)
        .map_err(Error::file(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_of_two_answers_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path())).unwrap();
        let record = |content: &[u8], nanoseconds| Record {
            descriptor: Descriptor::of("", content),
            content: None,
            confirmed: 1_700_000_000,
            nanoseconds,
            layout: None,
        };
        let [older, newer] = [record(b"older", 1), record(b"newer", 2)];
        for record in [&older, &newer, &older] {
            cache.record("ghcr.io/x:1", record).unwrap();
        }
        assert_eq!(cache.recorded("ghcr.io/x:1").unwrap(), newer);
    }
}
