//! Parts of messages.

/// Returns the part of a message with a duration. It is empty for 0 seconds.
pub(super) fn within(seconds: u64) -> String {
    if seconds == 0 {
        return String::new();
    }
    let plural = if seconds == 1 { "" } else { "s" };
    format!(" in {seconds} second{plural} without progress")
}
