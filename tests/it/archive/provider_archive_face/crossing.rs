//! Each crate loads the archives of the other.

use futures_util::FutureExt;
use nkeys::KeyPair;
use provider_archive::ProviderArchive as Theirs;
use wasmcloud_par::ProviderArchive as Ours;

use crate::support::archives::{ArchiveBuilder, LINUX, MACOS, PeerArchive, peer_archive};

#[tokio::test]
async fn our_crate_loads_what_the_peer_writes() {
    for what in PeerArchive::all() {
        let directory = tempfile::tempdir().unwrap();
        let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
        let path = peer_archive(directory.path(), &what, &issuer, &subject).await;
        let theirs = Theirs::try_load_file(&path).await.unwrap();

        let all = Ours::try_load_file(&path).await.unwrap();
        assert_eq!(all.targets(), [MACOS.0, LINUX.0], "{what:?}");
        assert_eq!(all.target_bytes(LINUX.0).as_deref(), Some(LINUX.1));
        assert_eq!(all.target_bytes(MACOS.0).as_deref(), Some(MACOS.1));

        let one = Ours::try_load_target_from_file(&path, LINUX.0)
            .await
            .unwrap();
        assert_eq!(one.targets(), [LINUX.0], "{what:?}");
        assert_eq!(one.target_bytes(LINUX.0).as_deref(), Some(LINUX.1));

        for ours in [all, one] {
            assert_eq!(ours.claims(), theirs.claims());
            assert_eq!(ours.wit_world(), what.world.as_deref());
            assert_eq!(ours.schema(), what.schema);
            let (ours, theirs) = (ours.claims_token(), theirs.claims_token());
            assert_eq!(ours.unwrap().jwt, theirs.unwrap().jwt);
        }
    }
}

#[tokio::test]
async fn the_peer_loads_what_our_crate_writes() {
    for what in PeerArchive::all() {
        let directory = tempfile::tempdir().unwrap();
        let (issuer, subject) = (KeyPair::new_account(), KeyPair::new_service());
        let mut ours = Ours::new("Name", "Vendor", Some(2), Some("0.2.0".to_owned()));
        ours.add_library(LINUX.0, LINUX.1).unwrap();
        ours.add_library(MACOS.0, MACOS.1).unwrap();
        if let Some(world) = &what.world {
            ours.add_wit_world(world).unwrap();
        }
        if let Some(schema) = &what.schema {
            ours.set_schema(schema.clone()).unwrap();
        }
        let path = directory.path().join("ours.par.gz");
        ours.write(&path, &issuer, &subject, what.compress)
            .await
            .unwrap();

        let all = Theirs::try_load_file(&path).await.unwrap();
        let mut targets = all.targets();
        targets.sort();
        assert_eq!(targets, [MACOS.0, LINUX.0], "{what:?}");
        assert_eq!(all.target_bytes(MACOS.0).as_deref(), Some(MACOS.1));

        let one = Theirs::try_load_target_from_file(&path, LINUX.0)
            .await
            .unwrap();
        assert_eq!(one.targets(), [LINUX.0], "{what:?}");
        assert_eq!(one.target_bytes(LINUX.0).as_deref(), Some(LINUX.1));

        for theirs in [all, one] {
            assert_eq!(theirs.claims(), ours.claims());
            assert_eq!(theirs.wit_world(), what.world.as_deref());
            assert_eq!(theirs.schema(), what.schema);
        }
        let validation = wascap::jwt::validate_token::<wascap::jwt::CapabilityProvider>(
            &ours.claims_token().unwrap().jwt,
        );
        assert!(validation.unwrap().signature_valid);
    }
}

#[tokio::test]
async fn a_file_that_is_missing_is_named_by_both() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing.par");
    let name = path.display().to_string();
    let ours = Ours::try_load_file(&path).await.err().unwrap();
    let theirs = Theirs::try_load_file(&path).await.err().unwrap();
    assert!(ours.to_string().contains(&name), "{ours}");
    assert!(theirs.to_string().contains(&name), "{theirs}");
}

#[test]
fn bytes_are_loaded_without_a_runtime_too() {
    let archive = ArchiveBuilder::two_targets().build_gzip();
    let ours = Ours::try_load(&archive).now_or_never().unwrap().unwrap();
    let theirs = Theirs::try_load(&archive).now_or_never().unwrap().unwrap();
    assert_eq!(ours.claims(), theirs.claims());
}
