//! Parts of messages.

/// Returns how long something took, when that is worth telling.
pub(super) fn within(seconds: u64) -> String {
    if seconds == 0 {
        return String::new();
    }
    let plural = if seconds == 1 { "" } else { "s" };
    format!(" in {seconds} second{plural} without progress")
}
