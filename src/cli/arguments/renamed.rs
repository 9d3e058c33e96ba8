//! Writes other references into the text of a deployment.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::cli::output::Failure;

use super::deployment::{Deployment, Image, Images, images_of_all};

impl Deployment {
    /// Returns the text of the deployment with other references. `name` returns the new reference for a reference as it
    /// is written. Nothing else in the text changes.
    pub(crate) fn renamed(&self, name: impl Fn(&str) -> Option<String>) -> Result<String> {
        // The key is the place in the text, because several components may use one anchor.
        let mut changes = BTreeMap::new();
        let mut expected = Vec::new();
        for image in self.images.iter().chain(&self.components) {
            let written = image.written.as_str();
            let Some(new) = name(written) else {
                expected.push(written.to_owned());
                continue;
            };
            let found = image.place.clone().and_then(|place| {
                let found = self.content.get(place.clone())?.find(written)?;
                Some(place.start + found)
            });
            let Some(start) = found else {
                return self.cannot_rename(image);
            };
            changes.insert(start, (written.len(), new.clone()));
            expected.push(new);
        }
        let mut text = self.content.clone();
        for (start, (length, new)) in changes.into_iter().rev() {
            text.replace_range(start..start + length, &new);
        }
        // Parsing the new text shows whether the edit did what it should: the text was edited, and not the data in it.
        let Images { images, components } = images_of_all(&text, &self.name)?;
        let found: Vec<_> = images.into_iter().chain(components).collect();
        let mut pairs = found.iter().zip(&expected);
        match pairs.find(|(found, expected)| found.written != **expected) {
            None if found.len() == expected.len() => Ok(text),
            Some((image, _)) => self.cannot_rename(image),
            None => bail!(Failure::usage(format!(
                "cannot write other references into {}",
                self.name
            ))),
        }
    }

    fn cannot_rename<T>(&self, image: &Image) -> Result<T> {
        let (name, line) = (&self.name, image.number);
        let message = format!("{name}, line {line}: cannot write another reference there");
        let hint = "write the reference on one line, without escape sequences";
        bail!(Failure::usage(message).hint(hint))
    }
}

#[cfg(test)]
#[path = "tests/renamed.rs"]
mod tests;
