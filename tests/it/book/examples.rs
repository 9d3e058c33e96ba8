//! Runs the examples of a page in a shell, from top to bottom, and compares what they print.
//!
//! A block with the word `console` after its fence is run. Lines that begin with `$ ` are commands. Lines that begin
//! with `> ` right after a command, or that follow a backslash, continue it. The other lines are its output: each has
//! to be printed, in this order, and `…` stands for anything. A command has to succeed, unless one of these lines
//! begins with `error: `.
//!
//! A block that cannot be run has its reason after the word: `console,not-run: needs a cluster`. A block of another kind is a
//! file that the reader writes if its first line is a comment with the name of the file: `# file: hosts.toml`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Block, Part, parts};
use crate::support::Environment;

/// A command of a page, and its expected output.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    command: String,
    expected: Vec<String>,
    /// The number of its line in the page.
    number: usize,
}

/// The commands of a page to run, and the number of blocks that are not run.
pub(super) struct Examples {
    steps: Vec<Step>,
    pub(super) not_run: usize,
}

impl Examples {
    /// Reads the examples of a page.
    #[track_caller]
    pub(super) fn of(page: &str) -> Self {
        let mut examples = Self {
            steps: Vec::new(),
            not_run: 0,
        };
        for part in parts(page) {
            let Part::Block(block) = part else { continue };
            match block.info.split_once(',') {
                None if block.info == "console" => examples.steps.extend(steps(&block)),
                Some(("console", rest)) => {
                    let reason = rest.strip_prefix("not-run: ").unwrap_or_default();
                    assert!(
                        reason.len() > 5,
                        "line {}: {rest:?} is no reason",
                        block.number
                    );
                    examples.not_run += 1;
                }
                _ => examples.steps.extend(file(&block)),
            }
        }
        examples
    }

    /// Returns the number of commands.
    pub(super) fn count(&self) -> usize {
        self.steps.len()
    }

    /// Runs all commands in one shell, in the work directory of `environment`.
    #[track_caller]
    pub(super) fn run(
        &self,
        environment: &Environment,
        name: &str,
        prepare: impl Fn(&mut Command),
    ) {
        let output = environment.home().join("printed");
        fs::create_dir_all(&output).unwrap();
        let mut script = String::new();
        for (index, step) in self.steps.iter().enumerate() {
            let (command, at) = (&step.command, output.join(index.to_string()));
            let at = at.display();
            // Braces keep variables and the directory for the next command.
            script.push_str(&format!(
                "{{\n{command}\n}} >'{at}' 2>&1 </dev/null\necho $? >'{at}.code'\n"
            ));
        }
        let path = environment.home().join("script");
        fs::write(&path, &script).unwrap();
        let mut shell = environment.command_for(Path::new("bash"));
        shell.arg(&path).stdin(Stdio::null());
        prepare(&mut shell);
        let ended = shell.output().unwrap();
        for (index, step) in self.steps.iter().enumerate() {
            let at = output.join(index.to_string());
            let printed = fs::read_to_string(&at).unwrap_or_default();
            let code = fs::read_to_string(at.with_extension("code"));
            let code = code
                .unwrap_or_else(|_| panic!("{name}:{}: the shell ended: {ended:?}", step.number));
            if let Err(fault) = step.compare(&printed, code.trim() == "0") {
                panic!(
                    "{name}:{}: {fault}\n$ {}\n--- printed, exit code {}:\n{printed}",
                    step.number,
                    step.command,
                    code.trim()
                );
            }
        }
    }
}

impl Step {
    fn compare(&self, printed: &str, succeeded: bool) -> Result<(), String> {
        let fails = self.expected.iter().any(|line| line.starts_with("error: "));
        if fails == succeeded {
            return Err(format!(
                "the command {}",
                if succeeded { "succeeded" } else { "failed" }
            ));
        }
        let mut lines = printed.lines();
        for expected in &self.expected {
            let pattern = expected.trim_end();
            if pattern != "…" && !lines.any(|line| fits(line.trim_end(), pattern)) {
                return Err(format!("it did not print the line `{expected}`"));
            }
        }
        Ok(())
    }
}

/// Returns whether a line matches a pattern in which `…` stands for anything.
fn fits(line: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let others: Vec<&str> = parts.collect();
    let Some((last, middle)) = others.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Returns the commands of a block.
#[track_caller]
fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, line) in block.lines.iter().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                command: command.to_owned(),
                expected: Vec::new(),
                number: block.number + index,
            });
            continue;
        }
        let step = steps.last_mut();
        let step = step.unwrap_or_else(|| panic!("line {}: no command", block.number + index));
        let is_in_command = step.expected.is_empty();
        let continues = step.command.ends_with('\\');
        match line.strip_prefix("> ") {
            Some(more) if is_in_command => step.command.push_str(&format!("\n{more}")),
            None if line == ">" && is_in_command => step.command.push('\n'),
            _ if continues && is_in_command => step.command.push_str(&format!("\n{line}")),
            _ if line.is_empty() => {}
            _ => step.expected.push(line.clone()),
        }
    }
    steps
}

/// Returns the command that writes the file in a block, if it names one.
fn file(block: &Block) -> Option<Step> {
    let name = block.lines.first()?.split_once("file: ")?.1.trim();
    let content = block.lines.join("\n");
    Some(Step {
        command: format!(
            "mkdir -p \"$(dirname {name})\" && cat >{name} <<'END_OF_FILE'\n{content}\nEND_OF_FILE"
        ),
        expected: Vec::new(),
        number: block.number,
    })
}

#[test]
fn commands_outputs_and_files_are_distinguished() {
    let page = "text\n```console\n$ one \\\n    two\nprinted\n\n$ cat <<E\n> x\n>\n> E\n> y\n```\n\
                ```console,not-run: needs a cluster\n$ no\n```\n\
                ```toml\n# file: a/b.toml\nx = 1\n```\n```toml\ny = 1\n```\n";
    let examples = Examples::of(page);
    assert_eq!((examples.count(), examples.not_run), (3, 1));
    assert_eq!(examples.steps[0].command, "one \\\n    two");
    assert_eq!(examples.steps[0].expected, ["printed"]);
    assert_eq!(examples.steps[1].command, "cat <<E\nx\n\nE\ny");
    let environment = Environment::new();
    let page = "```toml\n# file: a/b.toml\nx = 1\n```\n```console\n$ cd a; y=2\n$ cat b.toml; echo \"$y\"\nx = …\n2\n```\n";
    Examples::of(page).run(&environment, "page", |_| {});
}

#[test]
fn a_wrong_output_and_a_wrong_end_are_found() {
    let step = |expected: &[&str]| Step {
        command: String::new(),
        expected: expected.iter().map(ToString::to_string).collect(),
        number: 1,
    };
    let printed = "first\nsha256:12 is 3 kB\nlast\n";
    for (expected, succeeded, is_right) in [
        (&[][..], true, true),
        (&[], false, false),
        (&["first", "…", "last"], true, true),
        (&["last", "first"], true, false),
        (&["firs"], true, false),
        (&["sha256:… is … kB"], true, true),
        (&["sha256:… is … MB"], true, false),
        (&["…"], true, true),
        (&["error: it is there"], false, false),
        (&["error: it is there"], true, false),
    ] {
        let compared = step(expected).compare(printed, succeeded);
        assert_eq!(compared.is_ok(), is_right, "{expected:?} {compared:?}");
    }
    let failed = step(&["error: no …"]).compare("error: no such file\n", false);
    assert_eq!(failed, Ok(()));
}
