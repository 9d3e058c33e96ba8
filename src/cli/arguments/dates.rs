//! Dates and ages as users write and read them.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::archive::{Metadata, to_unix};
use crate::content::rfc3339;

/// A date for an archive, as the user gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Date {
    /// A time, in seconds since 1970.
    At(u64),
    /// A span after the time of signing. With a fixed time of signing, the same arguments give the same
    /// date.
    After(Duration),
}

impl Date {
    /// Returns the date for an archive that is signed at `signed`. Both are in seconds since 1970.
    pub(crate) fn seconds(self, signed: u64) -> u64 {
        match self {
            Self::At(seconds) => seconds,
            Self::After(span) => signed.saturating_add(span.as_secs()),
        }
    }
}

impl FromStr for Date {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(seconds) = text.parse() {
            return Ok(Self::At(seconds));
        }
        // A date without a time is midnight, UTC.
        let day = format!("{text}T00:00:00Z");
        let time = humantime::parse_rfc3339(text).or_else(|_| humantime::parse_rfc3339(&day));
        if let Ok(since) = time.map(|time| time.duration_since(UNIX_EPOCH).unwrap_or_default()) {
            return Ok(Self::At(since.as_secs()));
        }
        humantime::parse_duration(text).map(Self::After).map_err(|_| {
            "not a date such as `2027-01-31` or `2027-01-31T12:00:00Z`, a span such as `30d`, or a number of \
             seconds since 1970"
        })
    }
}

/// Describes when an archive is valid. Returns `None` if it is always valid.
pub(crate) fn validity(metadata: &Metadata) -> Option<String> {
    let begins = metadata.not_before;
    let is_early = begins.is_some_and(|begins| begins > SystemTime::now());
    let mark = if is_early { ", not valid yet" } else { "" };
    match (begins.map(to_unix), metadata.expires.map(to_unix)) {
        (None, None) => None,
        (Some(from), None) if is_early => Some(format!("valid from {}{mark}", rfc3339(from))),
        (Some(from), None) => Some(format!("valid since {}", rfc3339(from))),
        (None, Some(until)) => Some(format!("valid until {}", rfc3339(until))),
        (Some(from), Some(until)) => Some(format!(
            "valid from {} to {}{mark}",
            rfc3339(from),
            rfc3339(until)
        )),
    }
}

/// Parses an age: a number of seconds, or numbers with units, as in `30m`.
pub(crate) fn age(written: &str) -> Result<Duration, humantime::DurationError> {
    match written.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(written),
    }
}

/// Parses an age as [`age`] does, but only with a unit. It is for deleting, where days that are taken for seconds do harm.
pub(crate) fn age_with_unit(written: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(written)
}

#[cfg(test)]
#[path = "tests/dates.rs"]
mod tests;
