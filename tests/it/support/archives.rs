//! Archives that are made byte by byte, so that any part of them can be wrong.

mod entry;
mod peer;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64URL_NOPAD;
use nkeys::{KeyPair, KeyPairType};
use serde_json::{Map, Value, json};
use wasmcloud_par::archive::{Key, Signer};
use wasmcloud_par::content::Digest;

pub(crate) use entry::{Entry, Format, pax_record};
pub(crate) use peer::{PeerArchive, peer_archive};

/// The executable for Linux in most archives here.
pub(crate) const LINUX: (&str, &[u8]) = ("x86_64-linux", b"\x7fELF the executable for linux");
/// The executable for macOS in most archives here.
pub(crate) const MACOS: (&str, &[u8]) = ("aarch64-macos", b"\xcf\xfa the executable for macos");

/// The vendor in the claims of each archive here.
pub(crate) const VENDOR: &str = "Test Vendor";

/// Returns the header of an executable for `target`, followed by `content`.
pub(crate) fn headed(target: &str, content: &str) -> Vec<u8> {
    let mut head = match target {
        "aarch64-macos" => vec![0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1],
        _ => b"\x7fELF\x02\x01\x01".to_vec(),
    };
    head.resize(64, 0);
    head[18] = match target {
        "aarch64-macos" => 0,
        "x86_64-linux" => 62,
        "aarch64-linux" => 183,
        "riscv64gc-linux" => 243,
        other => panic!("{other}"),
    };
    head.extend(content.as_bytes());
    head
}

/// Returns the keys of an account and of a service that are always the same. A tag moves only between archives of
/// one publisher.
pub(crate) fn publisher() -> (KeyPair, KeyPair) {
    let key = |kind, byte| KeyPair::new_from_raw(kind, [byte; 32]).unwrap();
    (key(KeyPairType::Account, 21), key(KeyPairType::Service, 22))
}

/// Returns a signer with the keys of [`publisher`].
pub(crate) fn publishing() -> Signer {
    let (issuer, subject) = publisher();
    let issuer = Key::from_seed(&issuer.seed().unwrap()).unwrap();
    Signer::new(issuer, subject.public_key().parse().unwrap()).unwrap()
}

type PayloadEdit = Box<dyn FnOnce(&mut Map<String, Value>)>;
type TextEdit = Box<dyn FnOnce(String) -> String>;
type TokenEdit = Box<dyn FnOnce(String) -> Vec<u8>>;

enum Piece {
    /// The claims, with this header. Their content is made once all hashes are known.
    Claims(Entry),
    Entry(Entry),
    Raw(Vec<u8>),
}

/// Builds a provider archive. By default it is a valid plain tar: the claims first, GNU headers, and two blocks
/// of zeros at the end.
pub(crate) struct ArchiveBuilder {
    issuer: KeyPair,
    subject: KeyPair,
    signing: Option<KeyPair>,
    header: String,
    hashes: BTreeMap<String, String>,
    payload_edits: Vec<PayloadEdit>,
    text_edit: Option<TextEdit>,
    token_edit: Option<TokenEdit>,
    pieces: Vec<Piece>,
    end: Vec<u8>,
}

impl ArchiveBuilder {
    /// Begins an archive without any entry, even claims.
    pub(crate) fn bare() -> Self {
        Self {
            issuer: KeyPair::new_account(),
            subject: KeyPair::new_service(),
            signing: None,
            header: r#"{"typ":"jwt","alg":"Ed25519"}"#.to_owned(),
            hashes: BTreeMap::new(),
            payload_edits: Vec::new(),
            text_edit: None,
            token_edit: None,
            pieces: Vec::new(),
            end: vec![0; 1024],
        }
    }

    /// Begins an archive with claims and no executable.
    pub(crate) fn empty() -> Self {
        Self::bare().claims(Entry::file("claims.jwt", ""))
    }

    /// Begins an archive with claims and the executables [`LINUX`] and [`MACOS`].
    pub(crate) fn two_targets() -> Self {
        Self::empty()
            .executable("aarch64-macos.bin", MACOS.1)
            .executable("x86_64-linux.bin", LINUX.1)
    }

    /// Sets the keys of the account and of the service.
    pub(crate) fn keys(mut self, issuer: KeyPair, subject: KeyPair) -> Self {
        self.issuer = issuer;
        self.subject = subject;
        self
    }

    /// Sets the keys of [`publisher`], and makes the token one of its own, so that no two archives are equal.
    pub(crate) fn published(self) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let (issuer, subject) = publisher();
        self.keys(issuer, subject).payload(move |payload| {
            payload.insert("jti".to_owned(), json!(format!("token {count}")));
        })
    }

    /// Signs with a key that is not the issuer's.
    pub(crate) fn signed_by(mut self, key: KeyPair) -> Self {
        self.signing = Some(key);
        self
    }

    /// Sets the header of the token, as JSON.
    pub(crate) fn header(mut self, header: &str) -> Self {
        header.clone_into(&mut self.header);
        self
    }

    /// Changes the payload of the token before it is signed.
    pub(crate) fn payload(mut self, edit: impl FnOnce(&mut Map<String, Value>) + 'static) -> Self {
        self.payload_edits.push(Box::new(edit));
        self
    }

    /// Changes the `wascap` section of the payload before it is signed.
    pub(crate) fn wascap(self, edit: impl FnOnce(&mut Map<String, Value>) + 'static) -> Self {
        self.payload(|payload| edit(payload["wascap"].as_object_mut().unwrap()))
    }

    /// Changes the JSON of the payload before it is signed.
    pub(crate) fn payload_text(mut self, edit: impl FnOnce(String) -> String + 'static) -> Self {
        self.text_edit = Some(Box::new(edit));
        self
    }

    /// Changes the token after it was signed.
    pub(crate) fn token(mut self, edit: impl FnOnce(String) -> Vec<u8> + 'static) -> Self {
        self.token_edit = Some(Box::new(edit));
        self
    }

    /// Adds the claims, with the name and the header of `entry`.
    pub(crate) fn claims(mut self, entry: Entry) -> Self {
        self.pieces.push(Piece::Claims(entry));
        self
    }

    /// Adds an entry that the claims do not cover.
    pub(crate) fn entry(mut self, entry: Entry) -> Self {
        self.pieces.push(Piece::Entry(entry));
        self
    }

    /// Adds a hash to the claims without an entry.
    pub(crate) fn hash(mut self, key: &str, content: &[u8]) -> Self {
        let digest = Digest::of(content).hex().to_ascii_uppercase();
        self.hashes.insert(key.to_owned(), digest);
        self
    }

    /// Adds an executable that the claims cover. Its target is `name` without directories and suffix.
    pub(crate) fn executable(self, name: &str, content: &[u8]) -> Self {
        self.executable_entry(Entry::file(name, content))
    }

    /// Adds an executable that the claims cover, with the header of `entry`.
    pub(crate) fn executable_entry(self, entry: Entry) -> Self {
        let name = entry.name().rsplit('/').next().unwrap().to_owned();
        let stem = name
            .rsplit_once('.')
            .map_or(name.as_str(), |(stem, _)| stem);
        let content = entry.content().to_vec();
        self.hash(stem, &content).entry(entry)
    }

    /// Adds a WIT world that the claims cover.
    pub(crate) fn world(self, content: &[u8]) -> Self {
        self.hash("world.wasm", content)
            .entry(Entry::file("world.wasm", content))
    }

    /// Adds bytes between the entries.
    pub(crate) fn raw(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.pieces.push(Piece::Raw(bytes.into()));
        self
    }

    /// Sets the bytes behind the last entry, in place of two blocks of zeros.
    pub(crate) fn end(mut self, end: impl Into<Vec<u8>>) -> Self {
        self.end = end.into();
        self
    }

    /// Returns the archive as a plain tar.
    pub(crate) fn build(mut self) -> Vec<u8> {
        let pieces = std::mem::take(&mut self.pieces);
        let end = std::mem::take(&mut self.end);
        let token = self.build_token();
        let mut tar = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Claims(entry) => tar.extend(entry.with_content(&token).bytes()),
                Piece::Entry(entry) => tar.extend(entry.bytes()),
                Piece::Raw(bytes) => tar.extend(bytes),
            }
        }
        tar.extend(end);
        tar
    }

    /// Returns the archive as one gzip member.
    pub(crate) fn build_gzip(self) -> Vec<u8> {
        gzip(&self.build())
    }

    fn build_token(self) -> Vec<u8> {
        let payload = json!({
            "jti": "7Kk0aFDBSVqVyKWKKWjW",
            "iat": 1_700_000_000,
            "iss": self.issuer.public_key(),
            "sub": self.subject.public_key(),
            "wascap": {
                "name": "Test Provider",
                "vendor": VENDOR,
                "rev": 7,
                "ver": "1.2.3",
                "target_hashes": self.hashes,
            },
            "wascap_revision": 3,
        });
        let Value::Object(mut payload) = payload else {
            unreachable!("it is an object");
        };
        for edit in self.payload_edits {
            edit(&mut payload);
        }
        let mut payload = Value::Object(payload).to_string();
        if let Some(edit) = self.text_edit {
            payload = edit(payload);
        }
        let signed = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(self.header.as_bytes()),
            BASE64URL_NOPAD.encode(payload.as_bytes()),
        );
        let signing = self.signing.as_ref().unwrap_or(&self.issuer);
        let signature = signing.sign(signed.as_bytes()).unwrap();
        let token = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature));
        match self.token_edit {
            Some(edit) => edit(token),
            None => token.into_bytes(),
        }
    }
}

/// Returns bytes that do not compress, which depend on `seed`.
pub(crate) fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(size / 8).flatten().collect()
}

/// Compresses `bytes` to one gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_at(flate2::Compression::fast(), bytes)
}

/// Compresses `bytes` to one gzip member at `level`.
pub(crate) fn gzip_at(level: flate2::Compression, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns the content of the first gzip member of `bytes`.
pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_end(&mut inflated)
        .unwrap();
    inflated
}
