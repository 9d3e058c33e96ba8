//! Pushes whose process is killed, and the pushes after them.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Barrier};

use serde_json::Value;

use super::{digest, pack_noise, par, text};
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::{Environment, Registry, wait_until};

const MIB: u64 = 1 << 20;
const UPLOADS: &str = "/blobs/uploads/";

struct Setup {
    environment: Environment,
    registry: Registry,
    proxy: Proxy,
    file: PathBuf,
    size: u64,
}

impl Setup {
    /// Makes an archive of a little more than this many bytes, and a registry behind a proxy with these rules.
    fn new(size: u64, rules: Vec<Rule>) -> Self {
        let (environment, registry) = (Environment::new(), Registry::start());
        let size = usize::try_from(size).unwrap();
        let file = pack_noise(&environment, "provider.par", size);
        Self {
            proxy: Proxy::start(&registry, rules),
            environment,
            registry,
            size: file.metadata().unwrap().len(),
            file,
        }
    }

    fn reference(&self) -> String {
        self.proxy.reference("provider:1.0.0")
    }

    /// Starts a push, and returns it once the registry or the proxy has seen `count` of these requests.
    fn stuck_at(&self, method: &str, count: usize) -> Child {
        let mut command = self.environment.command();
        command.args(["push", &self.reference(), text(&self.file)]);
        let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = silent.spawn().unwrap();
        wait_until("the request", || self.seen(method) >= count);
        child
    }

    fn seen(&self, method: &str) -> usize {
        self.proxy.seen(method, UPLOADS).len()
    }

    /// Pushes the archive, and returns how many of its bytes were sent and were there. The config counts as well.
    #[track_caller]
    fn push(&self) -> (u64, u64) {
        let arguments = ["push", &self.reference(), text(&self.file), "-o", "json"];
        let pushed = par(&self.environment, arguments).success().json();
        let stored = std::fs::read(self.registry.blob(&digest(&self.file))).unwrap();
        assert_eq!(stored, std::fs::read(&self.file).unwrap());
        let number = |name: &str| pushed[name].as_u64().unwrap();
        assert_eq!(pushed["mounted"], Value::from(0));
        (number("sent"), number("there_already"))
    }

    /// The files that remember uploads.
    fn remembered(&self) -> usize {
        let files = self.environment.files();
        let files = files.iter().map(Path::new);
        files
            .filter(|file| file.extension().is_some_and(|name| name == "upload"))
            .count()
    }
}

/// The size of the config that every provider archive has, in bytes.
const CONFIG: u64 = 2;

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Holds a request until the client disconnects, because no other request comes to the barrier.
fn hold() -> Fault {
    Fault::Together(Arc::new(Barrier::new(2)))
}

#[test]
fn a_push_continues_the_upload_of_one_that_was_killed() {
    let rules = vec![
        Rule::on("PUT", UPLOADS, Fault::CutKeptRequest(5 * MIB)),
        Rule::on("GET", UPLOADS, hold()),
    ];
    let setup = Setup::new(8 * MIB, rules);
    // The first process is killed when it asks what the registry has kept.
    kill(setup.stuck_at("GET", 1));
    assert_eq!(setup.remembered(), 1);
    let (sent, existing) = setup.push();
    assert_eq!((sent, existing), (setup.size - 5 * MIB + CONFIG, 5 * MIB));
    assert_eq!(setup.remembered(), 0);
}

#[test]
fn a_push_continues_after_the_last_chunk_that_registry_2_has() {
    let limit = |method| {
        let (bytes, answers) = (5 * MIB, true);
        Rule::on(method, UPLOADS, Fault::Limit { bytes, answers }).always()
    };
    let held = Rule::on("PATCH", UPLOADS, hold()).after(2);
    let setup = Setup::new(14 * MIB, vec![held, limit("PATCH"), limit("PUT")]);
    kill(setup.stuck_at("PATCH", 3));
    let (sent, existing) = setup.push();
    assert_eq!((sent, existing), (setup.size - 8 * MIB + CONFIG, 8 * MIB));
    assert_eq!(setup.remembered(), 0);
}

#[test]
fn an_upload_that_the_registry_has_dropped_begins_anew() {
    let rule = Rule::on("PUT", UPLOADS, Fault::StallRequest(4 * MIB));
    let setup = Setup::new(8 * MIB, vec![rule]);
    let child = setup.stuck_at("PUT", 1);
    wait_until("half of the archive", || {
        setup.proxy.traffic(UPLOADS).0 >= 4 * MIB
    });
    kill(child);
    let asked = setup.seen("GET");
    let (sent, existing) = setup.push();
    assert_eq!((sent, existing), (setup.size + CONFIG, 0));
    assert_eq!(setup.seen("GET"), asked + 1);
}

#[test]
fn an_upload_in_progress_is_not_continued_by_another_process() {
    let rule = Rule::on("PUT", UPLOADS, Fault::StallRequest(4 * MIB));
    let setup = Setup::new(8 * MIB, vec![rule]);
    let child = setup.stuck_at("PUT", 1);
    assert_eq!(setup.push().0, setup.size + CONFIG);
    assert_eq!(setup.seen("GET"), 0);
    kill(child);
}

#[test]
fn an_address_at_another_host_gets_no_request() {
    let rule = Rule::on("PUT", UPLOADS, Fault::StallRequest(4 * MIB));
    let setup = Setup::new(8 * MIB, vec![rule]);
    kill(setup.stuck_at("PUT", 1));
    let files = setup.environment.files();
    let kept = files.iter().find(|file| file.ends_with(".upload")).unwrap();
    let elsewhere = Proxy::start(&setup.registry, Vec::new());
    let address = format!("http://{}/v2/provider{UPLOADS}1\n", elsewhere.address());
    let home = setup.environment.home();
    std::fs::write(home.parent().unwrap().join(kept), address).unwrap();
    setup.push();
    assert_eq!(elsewhere.seen("GET", "").len(), 0);
}
