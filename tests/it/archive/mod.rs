//! The archive layer against the format's other tools, its variants and its abuses.

mod bounds;
mod damage;
mod editing;
mod indexing;
mod inserting;
mod never_load;
mod packing;
mod provider_archive_face;
mod system_tools;
mod variants;
mod worlds;

use std::path::Path;

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Runs what the compatible face does `async`.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work)
}
