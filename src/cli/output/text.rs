//! Paths and JSON values as text.

use std::path::Path;

use serde_json::Value;

/// Returns a path as text. Bytes that are not UTF-8 are replaced.
pub(crate) fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Returns the bytes of a path. Where a path is not made of bytes, returns its text.
pub(super) fn path_bytes(path: &Path) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        path.as_os_str().as_bytes().to_vec()
    }
    #[cfg(not(unix))]
    path_text(path).into_bytes()
}

/// Returns a JSON value as text: a string without quotes, and `none` for `null`.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
