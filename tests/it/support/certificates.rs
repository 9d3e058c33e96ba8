//! Certificate authorities for single tests.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, BASE64_MIME};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};

/// A certificate authority, and the files of the certificates that it issues.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    directory: PathBuf,
    file: PathBuf,
}

impl Authority {
    /// Makes an authority that keeps its files in `directory`.
    pub(crate) fn new(directory: &Path) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Unique, because clients look for issuers by name.
        let name = format!("Test authority {:02x?}", &key.public_key_raw()[1..9]);
        parameters.distinguished_name.push(DnType::CommonName, name);
        let certificate = parameters.self_signed(&key).unwrap();
        fs::create_dir_all(directory).unwrap();
        let file = directory.join("authority.pem");
        fs::write(&file, certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(parameters, key),
            directory: directory.to_owned(),
            file,
        }
    }

    /// Returns the file of the authority's own certificate.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Issues a certificate for a server with this name or address. Returns the files of it and its key.
    pub(crate) fn server(&self, name: &str) -> (PathBuf, PathBuf) {
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        self.issue(name, usage, |_| {})
    }

    /// Issues a certificate for a server that has expired. Returns the files of it and its key.
    pub(crate) fn expired(&self, name: &str) -> (PathBuf, PathBuf) {
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        self.issue(name, usage, |parameters| {
            parameters.not_before = date_time_ymd(2020, 1, 1);
            parameters.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    /// Issues a certificate for a server that is not valid yet. Returns the files of it and its key.
    pub(crate) fn early(&self, name: &str) -> (PathBuf, PathBuf) {
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        self.issue(name, usage, |parameters| {
            parameters.not_before = date_time_ymd(2999, 1, 1);
            parameters.not_after = date_time_ymd(3000, 1, 1);
        })
    }

    /// Issues a certificate for clients with the name of a server. Returns the files of it and its key.
    pub(crate) fn for_another_purpose(&self, name: &str) -> (PathBuf, PathBuf) {
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        self.issue(name, usage, |_| {})
    }

    /// Issues a certificate for a server that says that it is an authority. Returns the files of it and its key.
    pub(crate) fn below(&self, name: &str) -> (PathBuf, PathBuf) {
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        self.issue(name, usage, |parameters| {
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        })
    }

    /// Turns a certificate that was issued into one of version 1 of X.509, whose signature is wrong.
    pub(crate) fn make_version_1(file: &Path) {
        let pem = fs::read_to_string(file).unwrap();
        let text: String = pem
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        let whole = BASE64.decode(text.as_bytes()).unwrap();
        let [certificate] = parts(&whole)[..] else {
            panic!("one certificate")
        };
        let [signed, algorithm, signature] = parts(content(certificate))[..] else {
            panic!("three parts of a certificate")
        };
        // The version and the extensions have the tags [0] and [3].
        let fields = parts(content(signed)).into_iter();
        let fields: Vec<_> = fields
            .filter(|field| !matches!(field[0], 0xA0 | 0xA3))
            .collect();
        let signed = sequence(&fields.concat());
        let whole = sequence(&[&signed, algorithm, signature].concat());
        let text = BASE64_MIME.encode(&whole);
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n",
            text.replace('\r', "")
        );
        fs::write(file, pem).unwrap();
    }

    /// Issues a certificate for a client. Returns the files of it and its key.
    pub(crate) fn client(&self) -> (PathBuf, PathBuf) {
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        self.issue("client", usage, |_| {})
    }

    fn issue(
        &self,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (PathBuf, PathBuf) {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters.extended_key_usages.push(usage);
        change(&mut parameters);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let files = ["cert", "key"].map(|kind| self.directory.join(format!("{name}.{kind}")));
        let [certificate_file, key_file] = files;
        fs::write(&certificate_file, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        (certificate_file, key_file)
    }
}

/// Splits DER into its values, each with its tag and its length.
fn parts(mut der: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while !der.is_empty() {
        let (part, rest) = der.split_at(length_of_head(der) + length(der));
        parts.push(part);
        der = rest;
    }
    parts
}

/// Returns a value of DER without its tag and its length.
fn content(der: &[u8]) -> &[u8] {
    &der[length_of_head(der)..]
}

fn length_of_head(der: &[u8]) -> usize {
    match der[1] {
        0..0x80 => 2,
        long => 2 + usize::from(long & 0x7F),
    }
}

fn length(der: &[u8]) -> usize {
    match der[1] {
        short @ 0..0x80 => usize::from(short),
        _ => der[2..length_of_head(der)]
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte)),
    }
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let head = match length.to_be_bytes() {
        [0, short @ 0..0x80] => vec![0x30, short],
        [0, long] => vec![0x30, 0x81, long],
        [high, low] => vec![0x30, 0x82, high, low],
    };
    [&head, content].concat()
}
