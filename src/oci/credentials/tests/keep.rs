use super::super::secrets::Credentials;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn no_concurrent_login_or_logout_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let source = CredentialSource {
        registry_config: Some(directory.path().join("new/config.json")),
        ..CredentialSource::default()
    };
    let registries: Vec<_> = (0..12).map(|number| format!("r{number}.test")).collect();
    for leaving in [false, true] {
        let tasks = registries.iter().enumerate().map(|(number, registry)| {
            let (source, registry) = (source.clone(), registry.clone());
            tokio::spawn(async move {
                if leaving && number % 2 == 0 {
                    source.forget(&registry).await.unwrap().unwrap();
                } else if !leaving {
                    source.keep(&registry, "jane", "secret").await.unwrap();
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    }
    for (number, registry) in registries.iter().enumerate() {
        let found = source.find(registry, "provider").await.unwrap();
        assert_eq!(
            found == Credentials::Anonymous,
            number % 2 == 0,
            "{registry}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_directory_that_stays_locked_is_waited_for_up_to_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.json");
    let link = directory.path().join("elsewhere/link.json");
    std::fs::create_dir(directory.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    // The directory of the target is locked. The target may not exist.
    let held = try_lock_directory(directory.path()).unwrap();
    let started = Instant::now();
    let limit = Duration::from_millis(100);
    assert!(lock(&link, limit).await.is_none());
    assert!(started.elapsed() >= limit);
    drop(held);
    assert!(lock(&link, limit).await.is_some());
}

#[tokio::test]
async fn a_logout_without_a_login_creates_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let source = CredentialSource {
        registry_config: Some(directory.path().join("new/config.json")),
        ..CredentialSource::default()
    };
    assert_eq!(source.forget("r.test").await.unwrap(), None);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
