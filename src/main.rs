//! The command `par`.
fn main() {}
