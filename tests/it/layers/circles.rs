//! Circles: files of one layer that use each other, and directories that do.
//!
//! Files that use each other can only be understood together. A `mod.rs` that only declares and
//! re-exports is no part of a circle: a path through it counts as a path to the file behind it.

mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::modules::{Module, ModulePath, Modules};
use super::rules::LAYERS;
use super::source::Source;

/// For each file or directory, the files or directories that it uses, each with the used names.
type Graph = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The circles of all layers, a message each.
pub(crate) fn circles(sources: &[Source]) -> Vec<String> {
    let modules = Modules::new(sources);
    let uses = uses(&modules);
    let mut found = Vec::new();
    for (layer, _) in LAYERS {
        let inside = |file: &ModulePath| file.first().is_some_and(|name| name == layer);
        let inside: Vec<_> = uses
            .iter()
            .filter(|(from, to, _)| inside(&from.0) && inside(&to.0))
            .collect();
        let mut files = Graph::new();
        for (from, to, name) in &inside {
            add(&mut files, &from.1, &to.1, name);
        }
        found.extend(break_circles(files).into_iter().map(|(_, message)| message));
        for directory in directories(&inside) {
            let mut children = Graph::new();
            for (from, to, name) in &inside {
                let ends = (child_of(&directory, from), child_of(&directory, to));
                if let (Some(from), Some(to)) = ends
                    && from != to
                {
                    add(&mut children, &from, &to, name);
                }
            }
            // Circles of files alone have been found above.
            let circles = break_circles(children)
                .into_iter()
                .filter(|(circle, _)| circle.iter().any(|child| child.ends_with('/')));
            found.extend(circles.map(|(_, message)| message));
        }
    }
    found
}

/// A file, by the module that it is and by its path.
type File = (ModulePath, String);

/// Which file uses which name of which other file.
fn uses(modules: &Modules) -> Vec<(File, File, String)> {
    let file_modules: BTreeMap<&str, &ModulePath> = modules
        .iter()
        // An inline module is longer than the module of its file, which comes first.
        .fold(BTreeMap::new(), |mut files, (path, module)| {
            files.entry(module.file.as_str()).or_insert(path);
            files
        });
    // The code of an inline module is code of its file.
    let with_code: BTreeSet<&str> = modules
        .iter()
        .filter(|(_, module)| module.has_code)
        .map(|(_, module)| module.file.as_str())
        .collect();
    let file = |module: &Module| {
        let path = file_modules[module.file.as_str()];
        (path.clone(), module.file.clone())
    };
    let mut found = Vec::new();
    for (path, module) in modules.iter() {
        for (used, name) in modules.uses(path) {
            let have_code = [module, used]
                .iter()
                .all(|module| with_code.contains(module.file.as_str()));
            if used.file != module.file && have_code {
                found.push((file(module), file(used), name));
            }
        }
    }
    found
}

fn add(graph: &mut Graph, from: &str, to: &str, name: &str) {
    let uses = graph.entry(from.to_owned()).or_default();
    let names = uses.entry(to.to_owned()).or_default();
    names.insert(name.to_owned());
}

/// The modules that have files below them.
fn directories(uses: &[&(File, File, String)]) -> BTreeSet<ModulePath> {
    let files = uses.iter().flat_map(|(from, to, _)| [&from.0, &to.0]);
    files
        .flat_map(|path| (1..path.len()).map(|length| path[..length].to_vec()))
        .collect()
}

/// Returns the child of `directory` that is `file` or contains it. The name of a directory ends with a `/`.
fn child_of(directory: &ModulePath, (path, file): &File) -> Option<String> {
    let below = path.strip_prefix(directory.as_slice())?;
    let is_in_directory = below.len() > 1 || (below.len() == 1 && file.ends_with("/mod.rs"));
    Some(if is_in_directory {
        format!("{}/{}/", directory.join("/"), below[0])
    } else {
        file.clone()
    })
}

/// Removes uses from the graph until it has no circle. Returns each circle with a message that says
/// which names tie it.
fn break_circles(mut graph: Graph) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    while let Some(circle) = shortest_circle(&graph) {
        let next = |at: usize| &circle[(at + 1) % circle.len()];
        let names = |at: usize| &graph[&circle[at]][next(at)];
        let lines: Vec<_> = (0..circle.len())
            .map(|at| {
                let names: Vec<_> = names(at).iter().map(String::as_str).collect();
                format!("    {} -> {} ({})", circle[at], next(at), names.join(", "))
            })
            .collect();
        let message = format!("a circle:\n{}", lines.join("\n"));
        let weakest = (0..circle.len()).min_by_key(|at| names(*at).len());
        if let Some(weakest) = weakest {
            let to = next(weakest).clone();
            graph
                .entry(circle[weakest].clone())
                .or_default()
                .remove(&to);
        }
        found.push((circle, message));
    }
    found
}

fn shortest_circle(graph: &Graph) -> Option<Vec<String>> {
    let circles = graph
        .keys()
        .filter_map(|start| circle_through(graph, start));
    circles.min_by_key(Vec::len)
}

/// The shortest circle through `start`, which it begins with.
fn circle_through(graph: &Graph, start: &str) -> Option<Vec<String>> {
    let mut reached_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for to in graph.get(at).into_iter().flat_map(BTreeMap::keys) {
            if to == start {
                let back = std::iter::successors(Some(at), |at| reached_from.get(at).copied());
                let mut circle: Vec<_> = back.map(str::to_owned).collect();
                circle.reverse();
                return Some(circle);
            }
            if !reached_from.contains_key(to.as_str()) {
                reached_from.insert(to, at);
                queue.push_back(to);
            }
        }
    }
    None
}
