//! Prints the public API of a crate, one item a line, from the JSON file that rustdoc writes of it. What a
//! re-exported type has is printed once.

use std::collections::HashSet;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let json = std::env::args()
        .nth(1)
        .ok_or("usage: wasmcloud-par-api JSON")?;
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    let mut printed = HashSet::new();
    for line in api.items().map(ToString::to_string) {
        if printed.insert(line.clone()) {
            println!("{line}");
        }
    }
    Ok(())
}
