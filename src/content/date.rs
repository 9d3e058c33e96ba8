//! Dates as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that RFC 3339 can express, at the end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// Formats a time in seconds since 1970, at most the end of the year 9999, by RFC 3339: `2026-11-21T08:49:37Z`.
pub(crate) fn rfc3339(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(unix_time(seconds)).to_string()
}

/// Formats a time by RFC 3339, in whole seconds. A time before 1970 is written as the start of 1970, and a time after
/// the year 9999 as its end.
#[cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "the command prints times")
)]
pub(crate) fn time_text(time: SystemTime) -> String {
    rfc3339(unix_seconds(time))
}

/// Returns the time that is `seconds` after the beginning of 1970, but at most the end of the year 9999.
pub(crate) fn unix_time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.min(LAST))
}

/// Returns how many whole seconds a time is after the beginning of 1970, or 0 for an earlier time.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
#[path = "tests/date.rs"]
mod tests;
