//! Parts of messages.

/// Returns a number of seconds with its unit.
pub(super) fn in_seconds(seconds: u64) -> String {
    let plural = if seconds == 1 { "" } else { "s" };
    format!("{seconds} second{plural}")
}

/// Returns the part of a message with a duration. It is empty for 0 seconds.
pub(super) fn within(seconds: u64) -> String {
    if seconds == 0 {
        return String::new();
    }
    format!(" in {} without progress", in_seconds(seconds))
}
