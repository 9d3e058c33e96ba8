//! Runs two commands in turn, and compares their time and memory.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

/// The time and the memory of one run.
#[derive(Clone, Copy)]
pub struct Run {
    pub seconds: f64,
    /// The processor time of the run.
    pub processor_seconds: f64,
    pub peak_mib: f64,
}

/// A side of a comparison: its name, and the command of its next run.
pub struct Side<'a> {
    pub name: &'a str,
    pub command: Box<dyn FnMut(usize) -> anyhow::Result<Vec<OsString>> + 'a>,
}

/// Runs each side once without measuring, then both in turn, and prints medians and ratios.
pub fn compare(title: &str, runs: usize, mut ours: Side, mut theirs: Side) -> anyhow::Result<()> {
    let mut rows: Vec<(Run, Run)> = Vec::new();
    for run in 0..=runs {
        let first = measure(&(ours.command)(run)?).with_context(|| ours.name.to_owned())?;
        let second = measure(&(theirs.command)(run)?).with_context(|| theirs.name.to_owned())?;
        if run > 0 {
            rows.push((first, second));
        }
    }
    println!("\n{title}, {runs} runs of each in turn: median (min to max)");
    let time = |run: &Run| run.seconds;
    let peak = |run: &Run| run.peak_mib;
    for (name, sides) in [(ours.name, 0), (theirs.name, 1)] {
        let side: Vec<Run> = rows
            .iter()
            .map(|(first, second)| if sides == 0 { *first } else { *second })
            .collect();
        println!(
            "  {name:<44} {} s   peak {} MiB",
            spread(side.iter().map(time), 3),
            spread(side.iter().map(peak), 0),
        );
    }
    let ratios = rows
        .iter()
        .map(|(first, second)| second.seconds / first.seconds);
    println!(
        "  {:<44} {} times as fast",
        "ratio, pair by pair",
        spread(ratios, 2)
    );
    Ok(())
}

/// Prints the time and the memory of several sides, and how many times as fast one side of each of `pairs`, given by their
/// numbers, is as the other.
pub fn print_sides(what: &str, names: &[&str], runs: &[Vec<Run>], pairs: &[(usize, usize)]) {
    println!("  {what}");
    for (name, runs) in names.iter().zip(runs) {
        println!(
            "    {name:<50} {} s   processor {} s   peak {} MiB",
            spread(runs.iter().map(|run| run.seconds), 2),
            spread(runs.iter().map(|run| run.processor_seconds), 2),
            spread(runs.iter().map(|run| run.peak_mib), 0),
        );
    }
    for (ours, theirs) in pairs {
        let ratios = runs[*ours].iter().zip(&runs[*theirs]);
        let ratios = ratios.map(|(ours, theirs)| theirs.seconds / ours.seconds);
        let pair = format!("{} / {}", short(names[*theirs]), short(names[*ours]));
        println!("    {pair:<50} {} times as fast", spread(ratios, 2));
    }
}

/// Returns the name of a side without what is said of it.
fn short(name: &str) -> &str {
    name.split([',', ':']).next().unwrap_or(name)
}

pub fn spread(values: impl Iterator<Item = f64>, digits: usize) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (Some(min), Some(max)) = (values.first(), values.last()) else {
        return "nothing".to_owned();
    };
    let median = values[values.len() / 2];
    format!("{median:.digits$} ({min:.digits$} to {max:.digits$})")
}

/// A command and its arguments.
pub fn words(words: &[&dyn AsRef<OsStr>]) -> Vec<OsString> {
    words.iter().map(|word| word.as_ref().to_owned()).collect()
}

/// Removes the directory of an earlier run.
pub fn forget(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Runs a command as the child of a separate process, which reports the resources that the child used.
pub fn measure(command: &[OsString]) -> anyhow::Result<Run> {
    let output = Command::new(std::env::current_exe()?)
        .arg("measure")
        .args(command)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{command:?} failed");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let number = |key: &str| report[key].as_f64().with_context(|| key.to_owned());
    Ok(Run {
        seconds: number("seconds")?,
        processor_seconds: number("processor_seconds")?,
        peak_mib: number("peak_mib")?,
    })
}

pub fn run_and_report(command: &[OsString]) -> anyhow::Result<()> {
    let start = Instant::now();
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdout(Stdio::null())
        .status()?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(status.success(), "{status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let peak_mib = usage.max_rss() as f64 / 1024.0;
    let time = |time: TimeVal| time.num_microseconds() as f64 / 1e6;
    let processor_seconds = time(usage.user_time()) + time(usage.system_time());
    println!(
        "{}",
        serde_json::json!({
            "seconds": seconds,
            "processor_seconds": processor_seconds,
            "peak_mib": peak_mib,
        })
    );
    Ok(())
}
