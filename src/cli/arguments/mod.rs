//! Options and arguments that several commands share, and the values made from them.

mod binaries;
mod credentials;
mod dates;
mod deployment;
mod digested;
mod edit;
mod identity;
mod image;
mod inputs;
mod lock;
mod mirror_list;
mod on_command_line;
mod path;
mod pull;
mod reached;
mod registry;
mod renamed;
mod side;
mod sides;
mod signing;
mod sigstore;
mod source;
mod tags;
mod trust;
mod unpacked;

pub(crate) use binaries::{Binaries, BinaryArgs};
pub(crate) use credentials::PASSWORD_ON_COMMAND_LINE;
pub(crate) use dates::{Date, age, age_with_unit, validity};
pub(crate) use deployment::Deployment;
pub(crate) use edit::{EditArgs, signed_archive};
pub(crate) use identity::IdentityArgs;
#[cfg(feature = "sigstore")]
pub(crate) use identity::trusted_root;
pub(crate) use image::image_destination;
pub(crate) use inputs::{
    is_one_place, layout_files, refuse_file_in, refuse_inputs, refuse_wit_file,
};
pub(crate) use lock::{LOCK_FILE, LockArgs};
pub(crate) use mirror_list::{MirrorList, Selected};
pub(crate) use on_command_line::OnCommandLine;
pub(crate) use path::{Argument, archive_path, destination};
pub(crate) use pull::PullArgs;
pub(crate) use reached::Reached;
pub(crate) use registry::{
    RegistryArgs, RegistryName, place, refuse_existing_file, require_repository,
    require_whole_repository,
};
pub(crate) use sides::SidesArgs;
pub(crate) use signing::{
    KeyDirectoryArgs, SigningArgs, created_at, default_account, is_ci, is_file_stem, signing_at,
};
pub(crate) use sigstore::{SigstoreArgs, variable};
pub(crate) use source::{STANDARD_INPUT, Shown, Source, VerifiedSource, standard_input};
pub(crate) use tags::{TagPattern, newest};
pub(crate) use trust::TrustArgs;
pub(crate) use unpacked::Unpacked;
