//! The host in the documents: it is the example, and it runs.

use std::path::Path;

#[test]
fn the_document_shows_the_example_of_a_host() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let (document, example) = (read("docs/embedding.md"), read("examples/host.rs"));
    let block = format!("```rust,no_run\n{example}```\n");
    assert!(
        document.contains(&block),
        "the program in docs/embedding.md is not examples/host.rs"
    );
    let readme = read("README.md");
    assert!(readme.contains("docs/embedding.md"));
}
