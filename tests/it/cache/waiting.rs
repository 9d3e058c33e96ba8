//! Waiting for another process that has locked a file.

use std::fs::{self, File};
use std::path::Path;

use super::Provider;
use crate::support::{ended, wait_until};

/// Asserts that a command says which file another process has locked, and that it goes on when the file is free.
#[track_caller]
fn says_that_it_waits(provider: &Provider, locked: &Path, command: &[&str]) {
    let environment = &provider.environment;
    fs::create_dir_all(locked.parent().unwrap()).unwrap();
    let other = File::create(locked).unwrap();
    other.lock().unwrap();
    let said = environment.path("said");
    let mut waiting = environment.command();
    waiting.args(command).stderr(File::create(&said).unwrap());
    let waiting = waiting.spawn().unwrap();
    let line = format!(
        "warning: waiting for another process, which has locked {}\n",
        locked.display()
    );
    wait_until("the message", || fs::read_to_string(&said).unwrap() == line);
    drop(other);
    assert!(ended(waiting).status.success(), "{command:?}");
    let said = fs::read_to_string(&said).unwrap();
    assert_eq!(said.matches("waiting for").count(), 1, "{said}");
}

#[test]
fn a_command_says_which_file_another_process_has_locked() {
    let provider = Provider::new();
    let layer = provider.file("partial", &provider.layer);
    says_that_it_waits(&provider, &layer, &["pull", &provider.reference]);
    let state = provider.environment.home().join(".local/state");
    let pins = state.join("wasmcloud-par/v1/lock");
    let exported = ["trust", "export", "--destination", "pins.json"];
    provider.environment.par(exported).success();
    says_that_it_waits(&provider, &pins, &["trust", "import", "pins.json"]);
}
