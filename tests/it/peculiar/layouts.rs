//! Image layouts of other tools.
