//! Opening image layouts, in directories and in files.

use crate::content::{Push, ReadStorage};
use crate::oci::{Layout, LayoutFile, LayoutFileWriter, LayoutForm, LayoutReference, ReadLayout};

use super::super::blocking::blocking;
use super::super::error::Error;

/// A storage that content is read from and pushed to.
pub(in crate::client) trait Storage: ReadStorage + Push {}

impl<T: ReadStorage + Push> Storage for T {}

/// Opens an image layout that exists, to read it.
pub(in crate::client) async fn open_layout(
    place: &LayoutReference,
) -> Result<Box<dyn ReadLayout>, Error> {
    let path = place.path().to_owned();
    Ok(match place.form() {
        LayoutForm::Directory => Box::new(blocking(move || Ok(Layout::open(path)?)).await?),
        LayoutForm::File => Box::new(blocking(move || Ok(LayoutFile::open(&path)?)).await?),
    })
}

/// Opens an image layout that exists, to change it. The caller finishes the push.
pub(in crate::client) async fn change_layout(
    place: &LayoutReference,
) -> Result<Box<dyn Storage>, Error> {
    let path = place.path().to_owned();
    Ok(match place.form() {
        LayoutForm::Directory => Box::new(blocking(move || Ok(Layout::open(path)?)).await?),
        LayoutForm::File => Box::new(LayoutFileWriter::open(&path).await?),
    })
}

/// Opens an image layout to change it, and creates it if it does not exist. The caller finishes the push.
pub(in crate::client) async fn open_or_create_layout(
    place: &LayoutReference,
) -> Result<Box<dyn Storage>, Error> {
    let path = place.path().to_owned();
    Ok(match place.form() {
        LayoutForm::Directory => {
            Box::new(blocking(move || Ok(Layout::open_or_create(path)?)).await?)
        }
        LayoutForm::File => Box::new(LayoutFileWriter::open_or_create(&path).await?),
    })
}
