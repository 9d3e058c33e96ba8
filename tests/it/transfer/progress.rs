//! The lines and the summary of a push without a terminal.

use super::{pack_noise, par, small, text};
use crate::support::{Environment, Registry};

#[test]
fn a_long_push_prints_lines_and_a_summary_unless_quiet_is_given() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = pack_noise(&environment, "provider.par", 4 << 20);
    let push = |tag: &str, more: &[&str]| {
        let reference = registry.reference(tag);
        let mut command = environment.command();
        // With this interval, each piece prints a line, instead of one line every 15 seconds.
        command.env("PAR_PROGRESS_INTERVAL", "0");
        command.args([&["push", &reference, text(&file)], more].concat());
        crate::support::Outcome::of(command, b"").success().stderr
    };
    let printed = push("a:1", &[]);
    let sent = printed
        .lines()
        .filter(|line| line.starts_with("sent ") && line.ends_with(" %)"));
    let sent: Vec<_> = sent.collect();
    assert_eq!(
        sent.last(),
        Some(&"sent 4.0 MiB of 4.0 MiB (100 %)"),
        "{printed}"
    );
    let summary = "sent 4.0 MiB, mounted 0 B, there already 0 B";
    assert_eq!(printed.lines().last(), Some(summary));
    for more in ["--quiet", "--no-progress"] {
        let printed = push(&format!("a{more}:1"), &[more]);
        assert!(!printed.contains(" %)"), "{printed}");
        assert_eq!(printed.contains("there already"), more != "--quiet");
    }
}

#[test]
fn a_short_push_prints_the_summary_only() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = small(&environment, "one.par");
    let push = |name: &str| {
        let reference = registry.reference(name);
        let pushed = par(
            &environment,
            ["push", &reference, text(&file), "-o", "json"],
        );
        let pushed = pushed.success();
        assert_eq!(pushed.stderr.lines().count(), 1, "{pushed}");
        let json = pushed.json();
        ["sent", "mounted", "there_already"].map(|name| json[name].as_u64().unwrap())
    };
    let size = file.metadata().unwrap().len();
    assert_eq!(push("one:1"), [size + 2, 0, 0]);
    assert_eq!(push("one:1"), [0, 0, size + 2]);
    assert_eq!(push("two:1"), [2, size, 0]);
    let layout = ["push", "oci-layout://new:1", text(&file)];
    let pushed = par(&environment, layout).success();
    assert!(pushed.stderr.starts_with("sent "), "{pushed}");
}
