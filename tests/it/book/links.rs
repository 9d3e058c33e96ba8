//! Every link within the documentation leads to a page, and to a heading of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::{Part, pages_in, parts, project, read};

/// Returns the identifiers of the headings of a page, as GitHub and mdBook make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for part in parts(page) {
        let Part::Text(line) = part else { continue };
        let text = line.trim_start_matches('#');
        if text.len() == line.len() || !text.starts_with(' ') {
            continue;
        }
        let slug: String = text
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let count = seen.entry(slug.clone()).or_default();
        anchors.insert(match *count {
            0 => slug,
            number => format!("{slug}-{number}"),
        });
        *count += 1;
    }
    anchors
}

/// Returns the destinations of the links and the pictures in a page, outside code.
fn links(page: &str) -> Vec<String> {
    let mut text = String::new();
    for part in parts(page) {
        if let Part::Text(line) = part {
            text.push_str(&line);
            text.push('\n');
        }
    }
    // Text in backticks contains no links, but the text of a link can be in backticks.
    let prose: String = text
        .split('`')
        .enumerate()
        .map(|(number, part)| if number % 2 == 0 { part } else { "code" })
        .collect();
    let ends = prose.split("](").skip(1);
    let mut links: Vec<String> = ends
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect();
    let sources = prose.split("src=\"").skip(1);
    links.extend(sources.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    links
}

/// Returns `path` without `.` and `..`, so that equal files have equal paths.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Returns a message for each broken link of the page at `path`. A page of the book may only link to pages of the book.
fn faults(path: &Path, book: Option<&Path>) -> Vec<String> {
    let text = read(path);
    let mut faults = Vec::new();
    for link in links(&text) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = if file.is_empty() {
            path.to_owned()
        } else {
            plain(&path.with_file_name("").join(file))
        };
        if !target.exists() {
            faults.push(format!("{}: {link}: no such file", path.display()));
        } else if book.is_some_and(|book| !target.starts_with(book)) {
            faults.push(format!(
                "{}: {link}: not in the book: name the file without a link",
                path.display()
            ));
        } else if !anchor.is_empty() && !anchors(&read(&target)).contains(anchor) {
            faults.push(format!("{}: {link}: no such heading", path.display()));
        }
    }
    faults
}

#[test]
fn the_target_of_every_link_exists() {
    let book = plain(&project("docs"));
    let mut faults_found = Vec::new();
    let mut count = 0;
    for page in pages_in(&book) {
        count += links(&read(&page)).len();
        faults_found.extend(faults(&page, Some(&book)));
    }
    for page in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let page = plain(&project(page));
        count += links(&read(&page)).len();
        faults_found.extend(faults(&page, None));
    }
    assert!(count > 100, "only {count} links were found");
    assert!(faults_found.is_empty(), "\n{}", faults_found.join("\n"));
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let book = plain(&project("docs"));
    let summary = book.join("SUMMARY.md");
    let listed: BTreeSet<PathBuf> = links(&read(&summary))
        .iter()
        .map(|link| plain(&book.join(link)))
        .collect();
    let pages: BTreeSet<PathBuf> = pages_in(&book)
        .into_iter()
        .filter(|page| *page != summary)
        .collect();
    let missing: Vec<_> = pages.difference(&listed).collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md lacks {missing:?}");
}

#[test]
fn a_broken_link_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let book = plain(directory.path());
    let page = book.join("page.md");
    let text = "# A page: of `code`\n\n[1](#a-page-of-code) [`2`](page.md#a-page-of-code) `[3](missing.md)` [4](https://x)\n\
                ```text\n# Not a heading\n[5](missing.md)\n```\n\
                [6](missing.md) [7](#not-a-heading) [8](page.md#missing) [9](../other.md)\n";
    std::fs::write(&page, text).unwrap();
    let found = faults(&page, Some(&book)).join("\n");
    for (link, is_broken) in [
        ("#a-page", false),
        ("missing.md: no such file", true),
        ("#not-a-heading: no such heading", true),
        ("page.md#missing: no such heading", true),
        ("../other.md: no such file", true),
    ] {
        assert_eq!(found.contains(link), is_broken, "{link}\n{found}");
    }
    assert_eq!(found.lines().count(), 4, "{found}");
    let outside = tempfile::tempdir().unwrap();
    let found = faults(&page, Some(outside.path())).join("\n");
    assert!(found.contains("not in the book"), "{found}");
}
