//! Several things in one message.

use std::fmt::Display;

/// How many things are named.
const NAMED: usize = 3;

/// Names the first few of several things, and says how many others there are: a list that a registry sends may be long and
/// wrong.
pub(crate) fn first_few<T: Display>(things: &[T]) -> String {
    let (named, others) = things.split_at(things.len().min(NAMED));
    let named: Vec<_> = named.iter().map(ToString::to_string).collect();
    let named = named.join(", ");
    match others.len() {
        0 => named,
        1 => format!("{named} and 1 other"),
        others => format!("{named} and {others} others"),
    }
}

#[cfg(test)]
#[path = "tests/first_few.rs"]
mod tests;
