//! Properties that hold for any archive.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use wasmcloud_par::archive::internals::UnverifiedClaims;
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Error, Input, Key, KeyKind, Limits, Loaded, Metadata, Signer,
    Target, extract, extract_file, load, verify,
};
use wasmcloud_par::content::{ErrorKind, Silent};

use super::{names, unix};
use crate::support::properties::tried;

/// The contents of an archive.
#[derive(Debug, Clone)]
struct Provider {
    metadata: Metadata,
    world: Option<Content>,
    executables: BTreeMap<String, Content>,
    compress: bool,
}

/// The recipe for some bytes, so that a failure prints the recipe and not a megabyte.
#[derive(Debug, Clone, Copy)]
struct Content {
    length: usize,
    /// The period after which the bytes repeat: 1 compresses best, large primes hardly.
    period: usize,
}

impl Content {
    fn bytes(self) -> Vec<u8> {
        (0..self.length)
            .map(|i| ((i % self.period) as u32).wrapping_mul(2_654_435_761) >> 24)
            .map(|byte| byte as u8)
            .collect()
    }
}

fn content() -> impl Strategy<Value = Content> {
    const MIB: usize = 1 << 20;
    let length = prop_oneof![
        6 => 0..2000_usize,
        4 => (0..8_usize, 0..3_usize).prop_map(|(blocks, more)| (blocks * 512 + more).saturating_sub(1)),
        2 => 2000..100_000_usize,
        // Sizes around the size of a part.
        1 => MIB - 2..MIB + 3,
        1 => 2 * MIB..2 * MIB + 70_000,
    ];
    let period = prop_oneof![Just(1), Just(7), Just(65_521), Just(1_000_003)];
    (length, period).prop_map(|(length, period)| Content { length, period })
}

fn small_content() -> impl Strategy<Value = Content> {
    (0..700_usize, 1..50_usize).prop_map(|(length, period)| Content { length, period })
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let text = || option::of(any::<String>());
    let schema = option::of(any::<(String, i64, bool)>());
    let fields = (
        text(),
        any::<String>(),
        option::of(any::<i32>()),
        text(),
        schema,
    );
    fields.prop_map(|(name, vendor, revision, version, schema)| Metadata {
        name,
        vendor,
        revision,
        version,
        schema: schema.map(|(key, number, flag)| serde_json::json!({key: [number, flag]})),
        not_before: Some(unix(1_600_000_000)),
        expires: Some(unix(9_600_000_000)),
    })
}

fn provider(content: impl Strategy<Value = Content> + 'static) -> impl Strategy<Value = Provider> {
    let content = content.boxed();
    let target = "[a-z0-9_]{1,8}-[a-z0-9_.+é-]{1,8}";
    let fields = (
        metadata(),
        option::of(small_content()),
        btree_map(target, content, 1..5),
        any::<bool>(),
    );
    fields.prop_map(|(metadata, world, executables, compress)| Provider {
        metadata,
        world,
        executables,
        compress,
    })
}

impl Provider {
    fn write(&self, directory: &Path) -> PathBuf {
        let mut writer = ArchiveWriter::new(self.metadata.clone());
        for (target, content) in &self.executables {
            let input = Input::Bytes(content.bytes().into());
            writer.executable(target.parse().unwrap(), input);
        }
        if let Some(world) = self.world {
            writer.world(world.bytes());
        }
        let subject = Key::generate(KeyKind::Service).public_key();
        let signer =
            Signer::new(Key::generate(KeyKind::Account), subject.parse().unwrap()).unwrap();
        let compression = if self.compress {
            Compression::Gzip
        } else {
            Compression::None
        };
        let path = directory.join("archive");
        writer.write(&path, &signer, compression, &Silent).unwrap();
        path
    }
}

fn loaded(bytes: &[u8]) -> Result<Loaded, Error> {
    load(bytes, None, &Limits::default())
}

proptest! {
    #![proptest_config(tried(48))]

    #[test]
    fn every_way_of_reading_gives_the_packed_contents(provider in provider(content())) {
        let directory = tempfile::tempdir().unwrap();
        let path = provider.write(directory.path());
        let bytes = fs::read(&path).unwrap();
        let limits = Limits::default();
        let Loaded { contents, executables, .. } = loaded(&bytes).unwrap();
        prop_assert_eq!(&verify(bytes.as_slice(), &limits).unwrap(), &contents);
        prop_assert_eq!(contents.claims.metadata(), provider.metadata);
        prop_assert_eq!(contents.compression == Compression::Gzip, provider.compress);
        prop_assert_eq!(&contents.world, &provider.world.map(Content::bytes));
        prop_assert!(contents.absent.is_empty());
        prop_assert_eq!(executables.len(), provider.executables.len());

        let destination = directory.path().join("executable");
        for (name, content) in &provider.executables {
            let target: Target = name.parse().unwrap();
            let expected = content.bytes();
            prop_assert!(executables[&target] == expected, "{target}");
            prop_assert_eq!(contents.executables[&target], expected.len() as u64);
            extract(bytes.as_slice(), &target, &destination, 0o755, &limits).unwrap();
            prop_assert!(fs::read(&destination).unwrap() == expected, "{target}");
            let claims =
                extract_file(&path, &target, &destination, 0o755, &limits, &Silent).unwrap();
            prop_assert!(fs::read(&destination).unwrap() == expected, "{target} by the index");
            prop_assert_eq!(&claims, &contents.claims);
        }
        prop_assert_eq!(names(directory.path()), ["archive", "executable"]);
    }
}

proptest! {
    #![proptest_config(tried(24))]

    /// Bytes without effect, such as padding, may change. The contents never change.
    #[test]
    fn a_damaged_archive_is_refused_or_has_the_same_contents(
        provider in provider(small_content()),
        changes in prop::collection::vec((any::<Index>(), 1..=255_u8), 40),
        cuts in prop::collection::vec(any::<Index>(), 10),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = provider.write(directory.path());
        let good = fs::read(&path).unwrap();
        let whole = loaded(&good).unwrap();
        let damaged = changes.iter().map(|(at, flip)| {
            let mut bytes = good.clone();
            bytes[at.index(good.len())] ^= flip;
            (bytes, false)
        });
        let cut = cuts.iter().map(|at| (good[..at.index(good.len())].to_vec(), true));
        for (bytes, cut) in damaged.chain(cut) {
            match loaded(&bytes) {
                Ok(read) => {
                    prop_assert!(!cut);
                    prop_assert_eq!(&read, &whole);
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::NotVerified),
            }
            fs::write(&path, &bytes).unwrap();
            let (target, content) = provider.executables.first_key_value().unwrap();
            let target: Target = target.parse().unwrap();
            let destination = directory.path().join("executable");
            let limits = Limits::default();
            match extract_file(&path, &target, &destination, 0o755, &limits, &Silent) {
                Ok(claims) => {
                    prop_assert_eq!(claims, whole.contents.claims.clone());
                    prop_assert!(fs::read(&destination).unwrap() == content.bytes());
                    fs::remove_file(&destination).unwrap();
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::NotVerified),
            }
            prop_assert_eq!(names(directory.path()), ["archive"]);
        }
    }

    #[test]
    fn a_changed_token_does_not_verify(
        provider in provider(small_content()),
        changes in prop::collection::vec((any::<Index>(), 1..=127_u8), 40),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let bytes = fs::read(provider.write(directory.path())).unwrap();
        let claims = loaded(&bytes).unwrap().contents.claims;
        let decoded = UnverifiedClaims::decode(claims.token()).unwrap();
        prop_assert_eq!(&decoded.verify().unwrap(), &claims);
        for (at, flip) in changes {
            let mut token = claims.token().as_bytes().to_vec();
            token[at.index(claims.token().len())] ^= flip;
            let token = String::from_utf8(token).unwrap();
            let verified = UnverifiedClaims::decode(&token).and_then(UnverifiedClaims::verify);
            let error = verified.expect_err(&token);
            prop_assert_eq!(error.kind(), ErrorKind::NotVerified);
        }
    }
}
