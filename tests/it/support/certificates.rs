//! Certificate authorities of a test's own.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};

/// An authority, and the files of what it issues.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
    file: PathBuf,
}

impl Authority {
    /// A new one that keeps its files in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // A name that no other authority has: clients look for issuers by name.
        let name = format!("Test authority {:02x?}", &key.public_key_raw()[1..9]);
        parameters.distinguished_name.push(DnType::CommonName, name);
        let certificate = parameters.self_signed(&key).unwrap();
        fs::create_dir_all(folder).unwrap();
        let file = folder.join("authority.pem");
        fs::write(&file, certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(parameters, key),
            folder: folder.to_owned(),
            file,
        }
    }

    /// The authority's own certificate.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// A certificate and its key for a server with this name or address.
    pub(crate) fn server(&self, name: &str) -> (PathBuf, PathBuf) {
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        self.issue(name, usage, |_| {})
    }

    /// The same, no longer valid.
    pub(crate) fn expired(&self, name: &str) -> (PathBuf, PathBuf) {
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        self.issue(name, usage, |parameters| {
            parameters.not_before = date_time_ymd(2020, 1, 1);
            parameters.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    /// A certificate and its key for a client.
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
        let files = ["cert", "key"].map(|kind| self.folder.join(format!("{name}.{kind}")));
        let [certificate_file, key_file] = files;
        fs::write(&certificate_file, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        (certificate_file, key_file)
    }
}
