//! What the tests are built with.

pub(crate) mod archives;
