//! The pages of the reference that are made from the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use super::{project, read};
use crate::support::schemas::commands;
use crate::support::{Environment, Outcome};

const PAGE: &str = "docs/reference/commands.md";

/// Returns the help of all commands, by name. The first one is `par` itself.
fn helps() -> Vec<(String, String)> {
    let environment = Environment::new();
    let help = |name: &str| {
        let mut command = environment.command();
        // The help shows the values of variables.
        command.env_remove("PAR_PATIENCE");
        command.args(name.split_whitespace()).arg("--help");
        Outcome::of(command, b"").success().stdout
    };
    let names = [String::new()].into_iter().chain(commands());
    names
        .map(|name| {
            let help = help(&name);
            (format!("par {name}").trim_end().to_owned(), help)
        })
        .collect()
}

/// The options that many commands have, which the page shows once.
const SHARED: [&str; 2] = ["Global options:", "Registry options:"];

/// Splits a help text into its sections. Each section begins with its title, except the first one, which has none.
fn sections(help: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for line in help.lines().map(str::trim_end) {
        let is_title = line.ends_with(':') && line.starts_with(|c: char| c.is_ascii_uppercase());
        if is_title {
            sections.push(String::new());
        }
        let section = sections.last_mut().unwrap();
        section.push_str(line);
        section.push('\n');
    }
    sections
        .into_iter()
        .map(|text| text.trim_end().to_owned())
        .collect()
}

/// Returns the text that most commands have for a section with this title.
fn usual(helps: &[(String, String)], title: &str) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (_, help) in helps {
        let texts = sections(help).into_iter();
        for text in texts.filter(|text| text.lines().next() == Some(title)) {
            *counts.entry(text).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.unwrap_or_else(|| panic!("no command has {title}")).0
}

/// Returns the page with the help of every command.
fn page(helps: &[(String, String)]) -> String {
    let shared = SHARED.map(|title| (title, usual(helps, title)));
    let mut commands = String::new();
    for (name, help) in helps {
        let (mut kept, mut linked) = (Vec::new(), Vec::new());
        for section in sections(help) {
            match shared.iter().find(|(_, text)| *text == section) {
                Some((title, _)) => {
                    let title = title.trim_end_matches(':').to_lowercase();
                    linked.push(format!("[{title}](#{})", title.replace(' ', "-")));
                }
                None => kept.push(section),
            }
        }
        let kept = kept.join("\n\n");
        write!(commands, "\n## {name}\n\n```text\n{kept}\n```\n").unwrap();
        if !linked.is_empty() {
            writeln!(commands, "\nAlso: {}.", linked.join(", ")).unwrap();
        }
    }
    let mut page = String::from(
        "# Commands\n\nWhat `--help` of each command prints. `scripts/book --update` writes this page.\n",
    );
    page.push_str(&commands);
    for (_, section) in &shared {
        let (title, options) = section.split_once('\n').unwrap();
        let title = title.trim_end_matches(':');
        write!(page, "\n## {title}\n\n```text\n{options}\n```\n").unwrap();
    }
    page
}

#[test]
fn the_page_of_commands_has_their_help() {
    let expected = page(&helps());
    let path = project(PAGE);
    // `scripts/book --update` sets it.
    if std::env::var_os("PAR_UPDATE_BOOK").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let differs = read(&path).lines().ne(expected.lines());
    assert!(
        !differs,
        "{PAGE} is not what the commands say: run `scripts/book --update`"
    );
}

#[test]
fn the_page_of_variables_has_every_variable_of_an_option() {
    let page = read(&project("docs/reference/environment.md"));
    let helps = helps();
    let variables: BTreeSet<&str> = helps
        .iter()
        .flat_map(|(_, help)| help.split("[env: ").skip(1))
        .filter_map(|rest| rest.split(['=', ']']).next())
        .collect();
    assert!(variables.len() > 10, "{variables:?}");
    let missing: Vec<_> = variables
        .iter()
        .filter(|name| !page.contains(&format!("`{name}`")))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/reference/environment.md lacks {missing:?}"
    );
}
