//! Finding the command in a command line of `par`.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use wasmcloud_par::cli::internals::definition;

/// A command line of `par`.
pub(crate) struct Invocation {
    words: Vec<OsString>,
}

impl Invocation {
    /// Returns the command line. `None`: the program is not `par`.
    pub(crate) fn of(command: &Command) -> Option<Self> {
        let program = Path::new(command.get_program());
        let words = command.get_args().map(OsStr::to_owned);
        (program.file_stem() == Some("par".as_ref())).then(|| Self::new(words))
    }

    /// Returns the command line with these words after `par`.
    pub(crate) fn new(words: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            words: words.into_iter().collect(),
        }
    }

    /// Returns whether the answer is wanted as JSON. Help and versions are always text.
    pub(crate) fn wants_json(&self) -> bool {
        let words = self.words.iter().map(|word| word.to_string_lossy());
        let words: Vec<_> = words.take_while(|word| word != "--").collect();
        let is = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
        let help = is(&["-h", "--help", "help"]) || (is(&["-V", "--version"]) && words.len() < 4);
        let apart = words
            .windows(2)
            .any(|pair| matches!(&*pair[0], "-o" | "--output") && pair[1] == "json");
        !help && (apart || is(&["-ojson", "-o=json", "--output=json"]))
    }

    /// Returns the name of the command, such as `cache list`. `None`: the words name no command.
    pub(crate) fn name(&self) -> Option<String> {
        let words = [OsString::from("par")]
            .into_iter()
            .chain(self.words.clone());
        // Options may be missing, because variables of the tested process can replace them.
        let parsed = definition()
            .ignore_errors(true)
            .try_get_matches_from(words)
            .ok()?;
        let (mut matches, mut names) = (&parsed, Vec::new());
        while let Some((name, below)) = matches.subcommand() {
            names.push(name.to_owned());
            matches = below;
        }
        (!names.is_empty()).then(|| names.join(" "))
    }
}

/// Returns the names of all commands that do something, such as `push` and `cache list`.
pub(crate) fn commands() -> Vec<String> {
    let mut open: Vec<_> = vec![(String::new(), definition())];
    let mut names = Vec::new();
    while let Some((name, command)) = open.pop() {
        if !command.has_subcommands() {
            names.push(name);
            continue;
        }
        open.extend(command.get_subcommands().map(|below| {
            let name = format!("{name} {}", below.get_name());
            (name.trim_start().to_owned(), below.clone())
        }));
    }
    names.sort();
    names
}
