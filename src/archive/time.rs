//! Times in claims: seconds since 1970 in the token, [`SystemTime`] everywhere else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that RFC 3339 can write, at the end of the year 9999.
const LATEST: u64 = 253_402_300_799;

/// Converts seconds since 1970. Later times than the year 9999 become its last second, so that every
/// system can represent the result.
pub(crate) fn from_unix(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.min(LATEST))
}

/// Converts to whole seconds since 1970. Times before 1970 become 0.
pub(crate) fn to_unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
#[path = "tests/time.rs"]
mod tests;
