//! Certificate authorities and client certificates that cannot be used.
