//! A real registry on this machine, which runs during one benchmark.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

pub struct Registry {
    process: Child,
    address: String,
}

impl Registry {
    /// Starts the program of `registry:2` with its storage in `directory`. The program is
    /// `PAR_TEST_REGISTRY_BINARY`, or `docker-registry`, which is its name in Debian.
    pub fn start(directory: &Path) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let config = directory.join("registry.yml");
        let storage = directory.join("registry");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: {address}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n",
            storage.display()
        );
        std::fs::write(&config, text)?;
        let program = std::env::var_os("PAR_TEST_REGISTRY_BINARY");
        let process = Command::new(program.unwrap_or("docker-registry".into()))
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("docker-registry is needed: it is a package of Debian")?;
        let registry = Self { process, address };
        for _ in 0..100 {
            if TcpStream::connect(&registry.address).is_ok() {
                return Ok(registry);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("the registry does not answer at {}", registry.address)
    }

    /// Starts `program`, a registry with the referrers API. It keeps everything in memory, and chooses its port.
    pub fn start_with_api(program: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new(program)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().context("no output")?;
        let read = BufReader::new(output).read_line(&mut line);
        let registry = Self {
            process,
            address: line.trim().trim_start_matches("listening on ").to_owned(),
        };
        read?;
        Ok(registry)
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// The reference of a repository in the registry.
    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/v2/{repository}", self.address)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
