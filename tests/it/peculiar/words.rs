//! Exit codes, and hints that fit what happened.
