//! A registry for one test: the real program on a free loopback port, with its own storage.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::watcher::Watcher;

/// The longest time for a registry to start. On an idle machine it starts in about 50 ms.
const START: Duration = Duration::from_secs(10);

/// Passwords and their bcrypt hashes at the lowest cost (`htpasswd -Bbn -C 5 user PASSWORD`).
const HASHES: [(&str, &str); 2] = [
    (
        "password",
        "$2y$05$ywg9uC2vw5W8EFmWvrMv2eMXPk9pM0OZH8n4XBeC9YFJ7l7xlR6Sa",
    ),
    (
        "another-password",
        "$2y$05$whESpeRCLK.exh.Pz3zfTeI2jqSBP.VjVDT2Fa67rYyfvQQgC/aXy",
    ),
];

/// A running registry. Dropping it kills the process and removes the storage.
pub(crate) struct Registry {
    process: Child,
    // Fields are dropped in this order: the process ends before its directory is removed.
    _watcher: Watcher,
    address: String,
    storage: PathBuf,
    log: PathBuf,
    requests_while_starting: usize,
    _directory: TempDir,
}

/// The set-up of a registry. The default is a plain registry that allows deletes.
#[derive(Default)]
pub(crate) struct Builder {
    users: String,
    read_only: bool,
    storage: Option<PathBuf>,
    tls: String,
    sections: String,
}

impl Builder {
    /// Asks for a password, and accepts this user. The password is one of [`HASHES`].
    pub(crate) fn htpasswd(mut self, user: &str, password: &str) -> Self {
        let (_, hash) = HASHES
            .iter()
            .find(|(known, _)| *known == password)
            .unwrap_or_else(|| panic!("no hash of {password:?}: add it to HASHES"));
        writeln!(self.users, "{user}:{hash}").unwrap();
        self
    }

    /// Refuses every change.
    pub(crate) fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Serves the storage of another registry, which must outlive this one.
    pub(crate) fn storage(mut self, storage: &Path) -> Self {
        self.storage = Some(storage.to_owned());
        self
    }

    /// Serves TLS with this certificate and key.
    pub(crate) fn tls(mut self, (certificate, key): &(PathBuf, PathBuf)) -> Self {
        let (certificate, key) = (certificate.display(), key.display());
        writeln!(self.tls, "  tls:\n    certificate: {certificate}").unwrap();
        writeln!(self.tls, "    key: {key}").unwrap();
        self
    }

    /// Requires certificates of this authority from clients.
    pub(crate) fn client_authority(mut self, authority: &Path) -> Self {
        let authority = authority.display();
        writeln!(self.tls, "    clientcas:\n      - {authority}").unwrap();
        self
    }

    /// Adds a top-level section to the configuration, such as `proxy:` or `auth:`, in YAML.
    pub(crate) fn section(mut self, yaml: &str) -> Self {
        writeln!(self.sections, "{}", yaml.trim_end()).unwrap();
        self
    }

    /// Starts the registry, and waits until it answers.
    pub(crate) fn start(self) -> Registry {
        let directory = tempfile::tempdir().unwrap();
        let storage = self
            .storage
            .clone()
            .unwrap_or_else(|| directory.path().join("storage"));
        let configuration = directory.path().join("config.yml");
        fs::write(
            &configuration,
            self.configuration(directory.path(), &storage),
        )
        .unwrap();
        let log = directory.path().join("log");
        let output = File::create(&log).unwrap();
        let process = Command::new(binary())
            .arg("serve")
            .arg(&configuration)
            // REGISTRY_* variables would override the configuration.
            .env_clear()
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .expect("the registry program runs");
        let mut registry = Registry {
            _watcher: Watcher::new(process.id(), directory.path()),
            process,
            address: String::new(),
            storage,
            log,
            requests_while_starting: 0,
            _directory: directory,
        };
        registry.wait_until_it_answers();
        registry
    }

    fn configuration(&self, directory: &Path, storage: &Path) -> String {
        let mut sections = self.sections.clone();
        if !self.users.is_empty() {
            let path = directory.join("htpasswd");
            fs::write(&path, &self.users).unwrap();
            writeln!(
                sections,
                "auth:\n  htpasswd:\n    realm: tests\n    path: {}",
                path.display()
            )
            .unwrap();
        }
        // Without a cache of blob descriptors, the registry sees what tests change in its storage.
        // Port 0 is any free port; the log contains the number.
        format!(
            "version: 0.1
log:
  level: info
  formatter: text
  accesslog:
    disabled: false
storage:
  filesystem:
    rootdirectory: {}
  delete:
    enabled: true
  maintenance:
    readonly:
      enabled: {}
http:
  addr: 127.0.0.1:0
{}{sections}",
            storage.display(),
            self.read_only,
            self.tls,
        )
    }
}

impl Registry {
    /// Starts a plain registry that allows deletes and asks for no password.
    pub(crate) fn start() -> Self {
        Self::builder().start()
    }

    /// Returns the builder of a registry with a special set-up.
    pub(crate) fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the registry's address, `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the reference `127.0.0.1:PORT/NAME`.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// The root directory of the registry's storage.
    pub(crate) fn storage(&self) -> &Path {
        &self.storage
    }

    /// The file that contains a blob or a manifest, for tests that damage it.
    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        let (algorithm, hex) = digest.split_once(':').expect("a digest has an algorithm");
        self.storage
            .join("docker/registry/v2/blobs")
            .join(algorithm)
            .join(&hex[..2])
            .join(hex)
            .join("data")
    }

    /// The registry's log so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// The requests since the start, as `METHOD PATH?QUERY`, in the order of their ends.
    pub(crate) fn requests(&self) -> Vec<String> {
        // The registry may write a line after the client has the answer, so this waits until the log does not grow any
        // more.
        let mut log = self.log();
        loop {
            thread::sleep(Duration::from_millis(20));
            let later = self.log();
            if later == log {
                break;
            }
            log = later;
        }
        access_log(&log)
            .skip(self.requests_while_starting)
            .collect()
    }

    fn wait_until_it_answers(&mut self) {
        let started = Instant::now();
        while started.elapsed() < START {
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("the registry ended with {status}:\n{}", self.log());
            }
            if let Some(address) = listening_address(&self.log())
                && answers(&address).unwrap_or(false)
            {
                self.address = address;
                self.requests_while_starting = access_log(&self.log()).count();
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!(
            "the registry did not answer within {START:?}:\n{}",
            self.log()
        );
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if thread::panicking() && !self.address.is_empty() {
            eprintln!(
                "{} had these requests: {:#?}",
                self.address,
                self.requests()
            );
        }
        self.process.kill().expect("the registry can be killed");
        self.process.wait().expect("the registry ends");
    }
}

/// The registry program that scripts/test names or downloads.
fn binary() -> PathBuf {
    if let Some(named) =
        std::env::var_os("PAR_TEST_REGISTRY_BINARY").filter(|name| !name.is_empty())
    {
        return named.into();
    }
    // scripts/test keeps a downloaded program here; a plain `cargo test` uses it too.
    let fetched = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-registry");
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["docker-registry", "registry"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |directory| directory.join(name)))
        .chain([fetched.join("registry")])
        .find(|candidate| candidate.is_file())
        .expect(
            "no registry to test against: run scripts/test, which gets one; or install Debian's \
             package docker-registry, or name the program in PAR_TEST_REGISTRY_BINARY",
        )
}

/// Finds the address in `... msg="listening on 127.0.0.1:43341" ...`. A registry with TLS logs `, tls` behind
/// it.
fn listening_address(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("msg=\"listening on ")?;
    let (address, _) = rest.split_once(['"', ','])?;
    Some(address.to_owned())
}

/// Whether an HTTP server answers at the address, with any status. A TLS server answers 400.
fn answers(address: &str) -> io::Result<bool> {
    Ok(get(address, "/v2/", "")?.starts_with("HTTP/1."))
}

/// Sends a request without an HTTP client, and returns the raw answer.
fn get(address: &str, path: &str, headers: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(START))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Parses lines like `127.0.0.1 - - [DATE] "GET /v2/ HTTP/1.1" 200 2 "" "curl/7.88.1"`.
fn access_log(log: &str) -> impl Iterator<Item = String> {
    log.lines()
        .filter(|line| !line.starts_with("time="))
        .filter_map(|line| {
            let (_, rest) = line.split_once(" \"")?;
            let (request, _) = rest.split_once(" HTTP/")?;
            Some(request.to_owned())
        })
}

mod tests;
