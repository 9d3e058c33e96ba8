//! The book in `docs/`: its links, its examples, and the pages that are made from the code.

mod examples;
mod links;
mod pages;
mod reference;

use std::fs;
use std::path::{Path, PathBuf};

/// Returns a path of the project.
fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the pages below a directory, sorted.
fn pages_in(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(pages_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A part of a page: a line of text, or a block between fences.
enum Part {
    Text(String),
    Block(Block),
}

/// A block between fences.
struct Block {
    /// The text after the fence, such as `console`.
    info: String,
    lines: Vec<String>,
    /// The number of its first line in the page.
    number: usize,
}

/// Splits a page into its parts.
#[track_caller]
fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut open: Option<(String, Block)> = None;
    for (number, line) in page.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, None) => parts.push(Part::Text(line.to_owned())),
            (None, Some(info)) => {
                let indent = line.split("```").next().unwrap_or_default().to_owned();
                let block = Block {
                    info: info.trim().to_owned(),
                    lines: Vec::new(),
                    number: number + 2,
                };
                open = Some((indent, block));
            }
            (Some((indent, block)), None) => {
                let line = line.strip_prefix(indent.as_str()).unwrap_or(line);
                block.lines.push(line.to_owned());
            }
            (Some(_), Some(_)) => parts.extend(open.take().map(|(_, block)| Part::Block(block))),
        }
    }
    assert!(open.is_none(), "a block of code is not closed");
    parts
}
