//! Pulling one archive over 1, 2, 4 and 8 connections, with a real registry and a line to it that limits
//! each connection, is long, or does neither.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::Options;
use crate::inputs::Inputs;
use crate::measure::{Run, measure, spread};
use crate::registry::Registry;

const CONNECTIONS: [usize; 4] = [1, 2, 4, 8];

/// What the way to the registry is like.
#[derive(Clone, Copy)]
struct Line {
    name: &'static str,
    /// How many bytes each connection gets in a second.
    limit: Option<u64>,
    /// How long a request is on its way to the registry, and its answer on the way back, together.
    round_trip: Duration,
}

const LINES: [Line; 4] = [
    Line {
        name: "20 MB/s for each connection",
        limit: Some(20_000_000),
        round_trip: Duration::ZERO,
    },
    Line {
        name: "20 MB/s for each connection, 30 ms away",
        limit: Some(20_000_000),
        round_trip: Duration::from_millis(30),
    },
    Line {
        name: "no limit, 30 ms away",
        limit: None,
        round_trip: Duration::from_millis(30),
    },
    Line {
        name: "no limit",
        limit: None,
        round_trip: Duration::ZERO,
    },
];

pub fn run(options: &Options) -> anyhow::Result<()> {
    let par = options.par()?;
    let inputs = Inputs::choose(&options.files)?;
    let folder = tempfile::tempdir()?;
    let archive = folder.path().join("provider.par.gz");
    measure(&inputs.pack_with_par(&par, &archive))?;
    let size = archive.metadata()?.len();
    let registry = Registry::start(folder.path())?;
    let name = "bench/connections:1.0.0";
    let cache = folder.path().join("cache");
    let pulled = folder.path().join("pulled");
    let push = ["push", &registry.reference(name)].map(Into::into);
    let mut command = vec![par.clone().into()];
    command.extend(push);
    command.extend([
        archive.clone().into(),
        "--cache-dir".into(),
        (&cache).into(),
    ]);
    measure(&command)?;

    for line in LINES {
        let address = start(line, &registry.reference(""))?;
        let mut runs: [Vec<Run>; CONNECTIONS.len()] = Default::default();
        for run in 0..=options.runs {
            for (connections, runs) in CONNECTIONS.iter().zip(&mut runs) {
                let _ = std::fs::remove_dir_all(&cache);
                let mut command = vec![par.clone().into(), "pull".into()];
                command.push(format!("{address}/{name}").into());
                command.extend(["--connections".into(), connections.to_string().into()]);
                command.extend(["--cache-dir".into(), (&cache).into()]);
                command.extend(["--destination".into(), (&pulled).into()]);
                let measured = measure(&command)?;
                // The first run of each does not count.
                if run > 0 {
                    runs.push(measured);
                }
            }
        }
        let megabytes = size as f64 / 1e6;
        let runs_of_each = options.runs;
        println!(
            "\n{}: par pull of {megabytes:.1} MB, {runs_of_each} runs of each in turn: \
             median (min to max)",
            line.name
        );
        for (connections, runs) in CONNECTIONS.iter().zip(&runs) {
            println!(
                "  {connections} connections   {} s   peak {} MiB",
                spread(runs.iter().map(|run| run.seconds), 2),
                spread(runs.iter().map(|run| run.peak_mib), 0),
            );
        }
        ensure!(
            std::fs::read(&pulled)? == std::fs::read(&archive)?,
            "another file was pulled"
        );
    }
    Ok(())
}

/// A way to `registry` that is like `line`, and its address. Ends with this process.
fn start(line: Line, registry: &str) -> anyhow::Result<String> {
    let registry = registry.trim_end_matches('/').to_owned();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    thread::spawn(move || {
        for client in listener.incoming() {
            let registry = registry.clone();
            thread::spawn(move || {
                let carried =
                    client.and_then(|client| carry(&client, &TcpStream::connect(registry)?, line));
                // Whoever goes away in the middle is nothing to report.
                drop(carried);
            });
        }
    });
    Ok(address)
}

fn carry(client: &TcpStream, registry: &TcpStream, line: Line) -> io::Result<()> {
    client.set_nodelay(true)?;
    registry.set_nodelay(true)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let sent = send(client, registry, line.round_trip);
            let _ = registry.shutdown(Shutdown::Both);
            sent
        });
        let given = give(registry, client, line.limit);
        let _ = client.shutdown(Shutdown::Both);
        given
    })
}

/// Passes requests on, each when it has been under way for long enough.
fn send(mut client: &TcpStream, mut registry: &TcpStream, delay: Duration) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    while let count @ 1.. = client.read(&mut buffer)? {
        thread::sleep(delay);
        registry.write_all(&buffer[..count])?;
    }
    Ok(())
}

/// Passes answers on, as fast as they may.
fn give(mut registry: &TcpStream, mut client: &TcpStream, limit: Option<u64>) -> io::Result<()> {
    let Some(limit) = limit else {
        return io::copy(&mut registry, &mut client).map(drop);
    };
    let mut buffer = vec![0; 64 * 1024];
    // When the connection is free for the next bytes.
    let mut free = Instant::now();
    while let count @ 1.. = registry.read(&mut buffer)? {
        client.write_all(&buffer[..count])?;
        free = free.max(Instant::now()) + Duration::from_secs_f64(count as f64 / limit as f64);
        thread::sleep(free.saturating_duration_since(Instant::now()));
    }
    Ok(())
}
