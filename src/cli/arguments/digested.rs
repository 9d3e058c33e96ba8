//! Writes digests into the text of a deployment.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::cli::output::Failure;
use crate::content::Digest;

use super::deployment::{Deployment, FILE, Image, images};

impl Deployment {
    /// Returns the text of the deployment with a digest after each reference that has none. `digest` returns the digest
    /// for a reference as it is written. Nothing else in the text changes.
    pub(crate) fn with_digests(&self, digest: impl Fn(&str) -> Option<Digest>) -> Result<String> {
        // The key is the place in the text, because several components may use one anchor.
        let mut additions = BTreeMap::new();
        let mut expected = Vec::new();
        for image in &self.images {
            let written = image.written.as_str();
            let has_none = !written.contains('@') && !written.starts_with(FILE);
            let Some(digest) = digest(written).filter(|_| has_none) else {
                expected.push(written.to_owned());
                continue;
            };
            let Some(end) = self.end_of(image) else {
                return self.fail(image);
            };
            additions.insert(end, digest.clone());
            expected.push(format!("{written}@{digest}"));
        }
        let mut text = self.content.clone();
        for (end, digest) in additions.into_iter().rev() {
            text.insert_str(end, &format!("@{digest}"));
        }
        // Parsing the new text shows whether the edit did what it should: the text was edited, and not the data in it.
        let found = images(&text, &self.name)?;
        let wrong = found.iter().zip(&expected);
        let wrong = wrong.filter(|(found, expected)| found.written != **expected);
        match wrong.map(|(found, _)| found).next() {
            None if found.len() == expected.len() => Ok(text),
            None => bail!(Failure::usage(format!(
                "cannot write digests into {}",
                self.name
            ))),
            Some(image) => self.fail(image),
        }
    }

    /// Returns the position after the reference in the text.
    fn end_of(&self, image: &Image) -> Option<usize> {
        let place = image.place.clone()?;
        let start = place.start;
        let found = self.content.get(place)?.find(&image.written)?;
        let end = start + found + image.written.len();
        self.content.is_char_boundary(end).then_some(end)
    }

    fn fail<T>(&self, image: &Image) -> Result<T> {
        let (name, line) = (&self.name, image.number);
        let message =
            format!("{name}, line {line}: cannot write a digest after the reference there");
        let hint = "write the reference on one line, without escape sequences";
        bail!(Failure::usage(message).hint(hint))
    }
}
