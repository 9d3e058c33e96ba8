//! The fuzz targets. Each takes any bytes, and panics when a property does not hold.
//!
//! A fuzzer does not find bytes with a correct checksum or signature. So each target also uses its input as the content
//! that a checksum or a signature covers: the tar in a gzip member, the entries of a tar with matching claims, the
//! payload of a signed token, the extra field of a valid archive.

#![allow(unreachable_pub, reason = "to `fuzz/` this is a module of a library")]

use std::fs;
use std::io::{Cursor, Read, Write};
use std::mem::discriminant;
use std::path::Path;
use std::sync::OnceLock;

use data_encoding::BASE64URL_NOPAD;
use nkeys::{KeyPair, KeyPairType};
use serde_json::{Map, json};
use wasmcloud_par::archive::internals::{Index, UnverifiedClaims, read_claims};
use wasmcloud_par::archive::{
    ArchiveWriter, Compression, Contents, Error, Input, Key, Limits, Loaded, Metadata, Signer,
    Target, VerifiedClaims, extract_file, load, verify, verify_file,
};
use wasmcloud_par::content::{Digest, ErrorKind, Silent};
use wasmcloud_par::oci::Reference;

/// A target of the archives in this module.
pub const TARGET: &str = "x86_64-linux";

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Returns the keys of the issuer and of the subject. They are always the same, so that each run of a fuzzer
/// sees the same bytes.
pub fn keys() -> [KeyPair; 2] {
    [(KeyPairType::Account, 1), (KeyPairType::Service, 2)]
        .map(|(kind, byte)| KeyPair::new_from_raw(kind, [byte; 32]).unwrap())
}

/// Returns limits that are so small that a fuzzer reaches them.
fn limits() -> Limits {
    const KIB: u64 = 1024;
    let mut limits = Limits::default();
    limits.entries = 32;
    limits.name = 200;
    limits.claims = 16 * KIB;
    limits.world = 16 * KIB;
    limits.executable = 64 * KIB;
    limits.total = 256 * KIB;
    limits
}

/// Reads an archive, plain or compressed, or the tar inside one.
pub fn reader(data: &[u8]) {
    let plain = read(data);
    if !data.starts_with(&GZIP) {
        let compressed = loaded(&stored(data));
        match (plain, compressed) {
            (Ok(plain), Ok(compressed)) => assert_eq!(plain.executables, compressed.executables),
            (Ok(_), Err(error)) => panic!("only the plain archive loads: {error:?}"),
            // A plain tar may begin like a file of another kind, and is refused as such a file.
            (Err(Error::Zip | Error::Component), Ok(_)) | (Err(_), Err(_)) => {}
            (Err(error), Ok(_)) => panic!("only the compressed archive loads: {error:?}"),
        }
    }
    let _ = loaded(&claimed(data));
}

/// Reads an archive in each possible way, and asserts that all agree.
fn read(bytes: &[u8]) -> Result<Loaded, Error> {
    let limits = limits();
    let loaded = loaded(bytes);
    let claims = read_claims(bytes, &limits);
    match (&loaded, verify(bytes, &limits)) {
        (Ok(loaded), Ok(contents)) => {
            assert_eq!(loaded.contents, contents);
            assert_eq!(claims.unwrap(), contents.claims);
        }
        (Err(error), Err(other)) => assert_eq!(discriminant(error), discriminant(&other)),
        (loaded, verified) => panic!("{loaded:?} but {verified:?}"),
    }
    loaded
}

/// Loads an archive, and asserts that all content is what was signed.
fn loaded(bytes: &[u8]) -> Result<Loaded, Error> {
    let loaded = load(bytes, None, &limits());
    match &loaded {
        Ok(Loaded {
            contents,
            executables,
            ..
        }) => {
            assert!(executables.keys().eq(contents.executables.keys()));
            for (target, executable) in executables {
                let digest = Digest::of(executable);
                assert_eq!(contents.claims.executable(target).unwrap(), &digest);
                assert_eq!(contents.executables[target], executable.len() as u64);
            }
            let world = contents.world.as_deref().map(Digest::of);
            assert_eq!(contents.claims.world(), world.as_ref());
        }
        Err(error) => refused(error),
    }
    loaded
}

/// Asserts that an error is about the bytes, and that its text has no control characters.
fn refused(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::NotVerified, "{error:?}");
    let text = error.to_string();
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

/// Returns a gzip member with `tar`, not compressed.
fn stored(tar: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// Returns an archive with the entries of `tar`, and claims that cover them.
fn claimed(tar: &[u8]) -> Vec<u8> {
    let mut hashes = Map::new();
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().unwrap().raw(true) {
        let Ok(mut entry) = entry else { break };
        let path = entry.path_bytes().into_owned();
        let mut content = Vec::new();
        if entry.read_to_end(&mut content).is_err() {
            break;
        }
        let path = String::from_utf8_lossy(&path).into_owned();
        let key = match Path::new(&path).file_stem().and_then(|stem| stem.to_str()) {
            None | Some("claims") => continue,
            Some("world") => "world.wasm",
            Some(stem) => stem,
        };
        let hash = Digest::of(&content).hex().to_ascii_uppercase();
        hashes.entry(key).or_insert(hash.into());
    }
    let [issuer, subject] = keys();
    let payload = json!({
        "jti": "id",
        "iat": 1_700_000_000,
        "iss": issuer.public_key(),
        "sub": subject.public_key(),
        "wascap": {"vendor": "Fuzz", "target_hashes": hashes},
        "wascap_revision": 3,
    });
    let token = token(payload.to_string().as_bytes());
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(token.len() as u64);
    builder
        .append_data(&mut header, "claims.jwt", token.as_bytes())
        .unwrap();
    let mut bytes = builder.into_inner().unwrap();
    // Removes the end marker.
    bytes.truncate(512 + token.len().next_multiple_of(512));
    bytes.extend_from_slice(tar);
    bytes
}

/// Returns a signed token with any payload.
fn token(payload: &[u8]) -> String {
    let [issuer, _] = keys();
    let header = BASE64URL_NOPAD.encode(br#"{"typ":"jwt","alg":"Ed25519"}"#);
    let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(payload));
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// Decodes a token, or the payload of one.
pub fn claims(data: &[u8]) {
    decode(&String::from_utf8_lossy(data));
    decode(&token(data));
}

fn decode(token: &str) {
    let verified = UnverifiedClaims::decode(token).and_then(UnverifiedClaims::verify);
    match verified {
        Ok(claims) => {
            assert_eq!(claims.token(), token.trim());
            assert!(
                claims.issuer().as_str().starts_with('A')
                    && claims.subject().as_str().starts_with('V')
            );
            let _ = (claims.metadata(), claims.issued_at());
            let again = UnverifiedClaims::decode(claims.token()).unwrap();
            assert_eq!(again.verify().unwrap(), claims);
        }
        Err(error) => refused(&error),
    }
}

/// Reads a file with an index, a plain tar, or the extra field of a valid archive.
pub fn index(data: &[u8]) {
    let limits = limits();
    let head = Index::from_head(&data[..data.len().min(Index::HEAD)]);
    let located = Index::locate(&mut Cursor::new(data), &limits).unwrap();
    if data.starts_with(&GZIP) {
        assert_eq!(head, located);
    }
    if let Some(index) = located {
        let executable = index.executable(&TARGET.parse().unwrap());
        for entry in [index.claims(), index.world(), executable]
            .into_iter()
            .flatten()
        {
            let start = usize::try_from(entry.range.start).unwrap_or(usize::MAX);
            let input = data.get(start..).unwrap_or_default();
            let mut content = index.read(entry, input).take(limits.total);
            let count = std::io::copy(&mut content, &mut std::io::sink()).unwrap_or(0);
            assert!(count <= entry.size);
        }
    }
    let _ = in_file(data);
    hinted(data);
}

/// Verifies an archive in a file, and asserts that using its index makes no difference.
fn in_file(bytes: &[u8]) -> Result<Contents, Error> {
    let limits = limits();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let verified = verify_file(&mut file, &limits, &Silent);
    match (&verified, verify(bytes, &limits)) {
        (Ok(contents), Ok(streamed)) => assert_eq!(contents, &streamed),
        (Err(error), Err(streamed)) => assert_eq!(discriminant(error), discriminant(&streamed)),
        (verified, streamed) => panic!("{verified:?} but {streamed:?}"),
    }
    verified
}

/// Asserts that any bytes as the index of a valid archive do not change its content.
fn hinted(extra: &[u8]) {
    static GOOD: OnceLock<Good> = OnceLock::new();
    let good = GOOD.get_or_init(Good::new);
    let Ok(length) = u16::try_from(extra.len()) else {
        return;
    };
    let mut bytes = good.archive[..10].to_vec();
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(extra);
    bytes.extend_from_slice(good.behind_extra());
    assert_eq!(in_file(&bytes).unwrap().claims, good.claims);
    let directory = tempfile::tempdir().unwrap();
    let [path, destination] = ["archive", "executable"].map(|name| directory.path().join(name));
    fs::write(&path, bytes).unwrap();
    let target: Target = TARGET.parse().unwrap();
    let claims = extract_file(&path, &target, &destination, 0o755, &limits(), &Silent).unwrap();
    assert_eq!(claims, good.claims);
    assert!(fs::read(&destination).unwrap() == good.executable);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
}

/// A valid archive with an index.
pub struct Good {
    archive: Vec<u8>,
    executable: Vec<u8>,
    claims: VerifiedClaims,
}

impl Good {
    pub fn new() -> Self {
        let executable: Vec<u8> = (0..2000_u32).map(|i| (i * i / 7) as u8).collect();
        let mut writer = ArchiveWriter::new(Metadata::default());
        for (name, length) in [(TARGET, executable.len()), ("aarch64-linux", 700)] {
            let bytes = executable[..length].to_vec();
            writer.executable(name.parse().unwrap(), Input::Bytes(bytes.into()));
        }
        writer.world(b"the world".as_slice());
        let [issuer, subject] = keys();
        let issuer = Key::from_seed(&issuer.seed().unwrap()).unwrap();
        let signer = Signer::new(issuer, subject.public_key().parse().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("good.par.gz");
        let claims = writer
            .write(&path, &signer, Compression::Gzip, &Silent)
            .unwrap();
        Self {
            archive: fs::read(path).unwrap(),
            executable,
            claims,
        }
    }

    /// Returns the bytes of the archive.
    pub fn archive(&self) -> &[u8] {
        &self.archive
    }

    /// Returns the content of the extra field.
    pub fn extra(&self) -> &[u8] {
        &self.archive[12..12 + self.extra_length()]
    }

    fn behind_extra(&self) -> &[u8] {
        &self.archive[12 + self.extra_length()..]
    }

    fn extra_length(&self) -> usize {
        usize::from(u16::from_le_bytes([self.archive[10], self.archive[11]]))
    }
}

/// Parses a reference.
pub fn reference(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let reference: Reference = match text.parse() {
        Ok(reference) => reference,
        Err(error) => {
            let error: wasmcloud_par::oci::ParseReferenceError = error;
            let _ = error.to_string();
            return;
        }
    };
    let again = |reference: &Reference| assert_eq!(&parsed(&reference.to_string()), reference);
    again(&reference);
    assert!(!reference.file_stem().is_empty());
    let digest = Digest::of(data);
    let pinned = reference.with_digest(digest.clone());
    again(&pinned);
    assert_eq!(pinned.digest(), Some(&digest));
    assert_eq!(pinned.to_string(), reference.pinned(&digest));
    let tagged = reference.with_tag("1.0").unwrap();
    assert_eq!(tagged.tag(), Some("1.0"));
    assert_eq!(tagged.digest(), reference.digest());
    assert!(reference.with_tag("/").is_err());
}

fn parsed(text: &str) -> Reference {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}
