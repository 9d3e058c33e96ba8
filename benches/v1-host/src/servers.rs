//! The registry and the NATS server, which end with this program.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The program of `registry:2`, with its storage in a directory.
pub struct Registry(Server);

impl Registry {
    pub fn start(program: &Path, directory: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let config = directory.join("registry.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: {address}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            directory.join("registry").display()
        );
        fs::write(&config, text)?;
        let mut command = Command::new(program);
        command.arg("serve").arg(config);
        Ok(Self(Server::start(command, address, directory)?))
    }

    /// Returns `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.0.address
    }

    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address())
    }
}

/// A NATS server with JetStream, in which hosts keep claims and configurations.
pub struct Nats(Server);

impl Nats {
    pub fn start(program: &Path, directory: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let (host, port) = address.split_once(':').context("an address with a port")?;
        let mut command = Command::new(program);
        command.args(["--addr", host, "--port", port, "--jetstream", "--store_dir"]);
        command.arg(directory.join("nats"));
        Ok(Self(Server::start(command, address, directory)?))
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.0.address)
    }
}

struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts a program, and waits until it accepts connections. What it prints goes to a file in `directory`.
    fn start(mut command: Command, address: String, directory: &Path) -> anyhow::Result<Self> {
        let program = command.get_program().to_owned();
        let name = Path::new(&program).file_name().unwrap_or_default();
        let log = directory.join(name).with_extension("log");
        let output = File::create(&log)?;
        let process = command
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut server = Self { process, address };
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(&server.address).is_err() {
            if let Some(status) = server.process.try_wait()? {
                let printed = fs::read_to_string(&log).unwrap_or_default();
                bail!("{} ended with {status}: {printed}", program.display());
            }
            if Instant::now() > patience {
                bail!(
                    "{} does not listen on {}",
                    program.display(),
                    server.address
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
