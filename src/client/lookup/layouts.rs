//! Opening image layouts, in directories and in files.

use crate::content::{Push, ReadStorage};
use crate::oci::{Layout, LayoutFileWriter, LayoutForm, LayoutReference, ReadLayout};

use super::super::blocking::blocking;
use super::super::client::Client;
use super::super::error::Error;
use super::super::open_layouts::OpenLayout;

/// A storage that content is read from and pushed to.
pub(in crate::client) trait Storage: ReadStorage + Push {}

impl<T: ReadStorage + Push> Storage for T {}

/// Opens an image layout that exists, to read it.
pub(in crate::client) async fn open_layout(
    place: &LayoutReference,
) -> Result<Box<dyn ReadLayout>, Error> {
    Ok(OpenLayout::open(place).await?.boxed())
}

/// [Opens](open_layout) an image layout, unless `client` keeps it open.
pub(in crate::client) async fn read_layout(
    client: &Client,
    place: &LayoutReference,
) -> Result<Box<dyn ReadLayout>, Error> {
    match &client.layouts {
        Some(layouts) => Ok(layouts.get(place).await?.boxed()),
        None => open_layout(place).await,
    }
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
