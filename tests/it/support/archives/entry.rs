//! One entry of a tar, with any header.

use tar::{EntryType, Header};

/// The format of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Gnu,
    Ustar,
    /// The format of Unix Version 7, without a magic number and a prefix.
    Old,
}

/// An entry, and the extension headers before it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    name: Vec<u8>,
    content: Vec<u8>,
    kind: u8,
    format: Format,
    mode: u32,
    size: Option<[u8; 12]>,
    link: Option<&'static str>,
    checksum: bool,
    before: Vec<u8>,
}

impl Entry {
    /// Makes a file with a GNU header and mode 0, as existing tools write it.
    pub(crate) fn file(name: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.as_ref().to_vec(),
            content: content.as_ref().to_vec(),
            kind: b'0',
            format: Format::Gnu,
            mode: 0,
            size: None,
            link: None,
            checksum: true,
            before: Vec::new(),
        }
    }

    /// Makes a directory.
    pub(crate) fn directory(name: &str) -> Self {
        Self::file(name, "").kind(b'5')
    }

    /// Sets the type flag of the header.
    pub(crate) fn kind(mut self, kind: u8) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    pub(crate) fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Sets the target of a link.
    pub(crate) fn link(mut self, link: &'static str) -> Self {
        self.link = Some(link);
        self
    }

    /// Sets the size in the header, in octal, independently of the content.
    pub(crate) fn declared_size(self, size: u64) -> Self {
        self.size_field(format!("{size:011o}\0").as_bytes().try_into().unwrap())
    }

    /// Sets the bytes of the size field of the header.
    pub(crate) fn size_field(mut self, field: [u8; 12]) -> Self {
        self.size = Some(field);
        self
    }

    /// Makes the checksum of the header wrong.
    pub(crate) fn wrong_checksum(mut self) -> Self {
        self.checksum = false;
        self
    }

    /// Adds a GNU header with the name before this one. The name in the header itself is truncated.
    pub(crate) fn gnu_long_name(mut self, name: impl AsRef<[u8]>) -> Self {
        let mut content = name.as_ref().to_vec();
        content.push(0);
        let header = Self::file("././@LongLink", content).kind(b'L');
        self.before.extend(header.bytes());
        self
    }

    /// Adds a PAX header with these records before this one.
    pub(crate) fn pax(mut self, records: &[(&str, &[u8])]) -> Self {
        let content: Vec<u8> = records
            .iter()
            .flat_map(|(key, value)| pax_record(key, value))
            .collect();
        self.before.extend(Self::pax_header(content).bytes());
        self
    }

    /// Makes an entry that is a PAX header, with any content.
    pub(crate) fn pax_header(content: impl AsRef<[u8]>) -> Self {
        Self::file("PaxHeaders.0/entry", content)
            .kind(b'x')
            .format(Format::Ustar)
    }

    pub(crate) fn with_content(mut self, content: &[u8]) -> Self {
        self.content = content.to_vec();
        self
    }

    pub(crate) fn name(&self) -> &str {
        std::str::from_utf8(&self.name).unwrap()
    }

    pub(crate) fn content(&self) -> &[u8] {
        &self.content
    }

    /// Returns the header, the content and the padding.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.before.clone();
        bytes.extend(self.header().as_bytes());
        bytes.extend(&self.content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    fn header(&self) -> Header {
        let mut header = match self.format {
            Format::Gnu => Header::new_gnu(),
            Format::Ustar => Header::new_ustar(),
            Format::Old => Header::new_old(),
        };
        // `set_path` is not used, because it refuses invalid names.
        let length = self.name.len().min(100);
        header.as_mut_bytes()[..length].copy_from_slice(&self.name[..length]);
        header.set_size(self.content.len() as u64);
        header.set_entry_type(EntryType::new(self.kind));
        header.set_mode(self.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        if let Some(link) = self.link {
            header.set_link_name_literal(link).unwrap();
        }
        if let Some(size) = self.size {
            header.as_mut_bytes()[124..136].copy_from_slice(&size);
        }
        header.set_cksum();
        if !self.checksum {
            header.as_mut_bytes()[150] ^= 1;
        }
        header
    }
}

/// Returns `LENGTH KEY=VALUE\n`. The length includes its own digits.
pub(crate) fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut record = format!("{length} {key}=").into_bytes();
    record.extend(value);
    record.push(b'\n');
    record
}
