//! Many fetches at the same time.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use wasmcloud_par::archive::Target;
use wasmcloud_par::oci::Reference;

use super::{block_on, cached, client, digest, pack_noise, push, requests_about};
use crate::support::{Environment, Registry, ended};

#[test]
fn one_download_serves_all_processes_and_tasks() {
    let (environment, registry) = (Environment::new(), Registry::start());
    let file = pack_noise(&environment, "provider.par.gz", 8 << 20);
    let reference = registry.reference("provider:1.0.0");
    push(&environment, &reference, &file);

    let processes: Vec<_> = std::iter::repeat_with(|| {
        let mut command = environment.command();
        command.args(["fetch", &reference]);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    })
    .take(4)
    .collect();
    // A host uses the same cache.
    let client = client(&environment.home().join(".cache/wasmcloud-par"));
    let parsed: Arc<Reference> = Arc::new(reference.parse().unwrap());
    let fetched = block_on(async {
        let tasks: Vec<_> = std::iter::repeat_with(|| {
            let (client, reference) = (client.clone(), Arc::clone(&parsed));
            tokio::spawn(async move { client.fetch(&reference, &Target::host()).await })
        })
        .take(8)
        .collect();
        let mut paths = Vec::new();
        for task in tasks {
            paths.push(task.await.unwrap().unwrap().path);
        }
        paths
    });

    for process in processes {
        let output = ended(process);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let path = String::from_utf8(output.stdout).unwrap();
        assert_eq!(Path::new(path.trim_end()), fetched[0]);
    }
    assert!(fetched.iter().all(|path| *path == fetched[0]));
    let executable = environment.path("provider.par.gz.noise");
    assert_eq!(digest(&fetched[0]), digest(&executable));
    assert_eq!(requests_about(&registry, "GET", &digest(&file)), 1);
    assert_eq!(cached(&environment, "executables").len(), 1);
    let files = environment.files();
    let left = files.iter().filter(|file| file.contains("partial"));
    assert_eq!(left.collect::<Vec<_>>(), [""; 0]);
}
