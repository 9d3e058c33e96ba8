//! Heads of requests and answers.

use std::io::{self, BufRead, Write};

/// The first line and the fields of a request or an answer.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    first: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// Reads a head. Returns `None` when the other side has closed the connection.
    pub(in crate::support) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        let fields = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        Ok(Some(Self {
            first,
            fields: fields.collect(),
        }))
    }

    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut text = format!("{}\r\n", self.first);
        for (name, value) in &self.fields {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        to.write_all(text.as_bytes())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.fields.retain(|(known, _)| known != name);
    }

    pub(crate) fn set(&mut self, name: &str, value: impl ToString) {
        self.remove(name);
        self.fields.push((name.to_owned(), value.to_string()));
    }

    /// Returns the status of an answer, such as `404 Not Found`.
    pub(in crate::support) fn status(&self) -> &str {
        self.first.split_once(' ').map_or("", |(_, status)| status)
    }

    pub(in crate::support) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Replaces the status of an answer.
    pub(crate) fn set_status(&mut self, status: &str) {
        self.first = format!("HTTP/1.1 {status}");
    }

    /// Replaces the target of a request.
    pub(crate) fn replace_target(&mut self, from: &str, to: &str) {
        self.first = self.first.replacen(from, to, 1);
    }

    /// The length of the body according to the head.
    pub(in crate::support) fn length(&self) -> Option<u64> {
        self.get("content-length")?.parse().ok()
    }

    pub(in crate::support) fn method(&self) -> &str {
        self.first.split(' ').next().unwrap_or_default()
    }

    /// Returns the path and the query of a request.
    pub(in crate::support) fn target(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// The path of a request, without the query.
    pub(super) fn path(&self) -> &str {
        self.target().split('?').next().unwrap_or_default()
    }
}
