//! Certificate authorities for single tests.

use std::fs;
use std::path::{Path, PathBuf};

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
