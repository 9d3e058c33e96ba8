//! Image layouts that stay open for reading.

use std::collections::HashMap;

use tokio::sync::Mutex;

use crate::oci::{Layout, LayoutFile, LayoutForm, LayoutReference, ReadLayout};

use super::blocking::blocking;
use super::error::Error;

/// An open layout. Clones share the manifests that they have read.
#[derive(Clone)]
pub(super) enum OpenLayout {
    Directory(Layout),
    File(LayoutFile),
}

impl OpenLayout {
    pub(super) async fn open(place: &LayoutReference) -> Result<Self, Error> {
        let path = place.path().to_owned();
        Ok(match place.form() {
            LayoutForm::Directory => {
                Self::Directory(blocking(move || Ok(Layout::open(path)?)).await?)
            }
            LayoutForm::File => Self::File(blocking(move || Ok(LayoutFile::open(&path)?)).await?),
        })
    }

    /// Returns whether the layout has not changed since it was opened.
    async fn is_current(&self) -> Result<bool, Error> {
        match self {
            // A layout in a directory reads its index each time.
            Self::Directory(_) => Ok(true),
            Self::File(file) => {
                let file = file.clone();
                blocking(move || Ok(file.is_current())).await
            }
        }
    }

    pub(super) fn boxed(self) -> Box<dyn ReadLayout> {
        match self {
            Self::Directory(layout) => Box::new(layout),
            Self::File(file) => Box::new(file),
        }
    }
}

/// Layouts that stay open while many references are read from them, so that the tar and the manifests of a layout are
/// not read again for each reference.
#[derive(Default)]
pub(super) struct OpenLayouts(Mutex<HashMap<LayoutReference, OpenLayout>>);

impl OpenLayouts {
    pub(super) async fn get(&self, place: &LayoutReference) -> Result<OpenLayout, Error> {
        let place = place.whole();
        let mut layouts = self.0.lock().await;
        if let Some(layout) = layouts.get(&place)
            && layout.is_current().await?
        {
            return Ok(layout.clone());
        }
        let layout = OpenLayout::open(&place).await?;
        layouts.insert(place, layout.clone());
        Ok(layout)
    }
}
