//! Requests, answers, retries, TLS and proxies. The code that sends requests builds on these files.

mod answer;
mod authorities;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
mod authority_files;
mod blob_body;
mod clients;
mod encoding;
mod identity;
mod link;
mod no_proxy;
mod pages;
mod pem;
mod proxies;
mod redirect;
mod refusal;
mod request;
mod retry;
mod system_authorities;
mod tls;
mod warnings;

pub(super) use answer::{Announced, is_page, media_type_of, read_up_to};
pub(super) use blob_body::{BlobBody, source_error};
pub(super) use clients::{Clients, check_certificates};
pub(super) use encoding::{decode, refuse_encoding};
pub(super) use pages::{Page, next_page};
pub(super) use redirect::Redirects;
pub(super) use refusal::{
    REFUSAL_LIMIT, error_status, is_client_error, is_forgotten, parse_refusal, says_immutable,
    says_nothing, wants_tls,
};
pub(super) use request::{Payload, Request, Scope, address, request_error};
pub(super) use retry::{Attempts, is_damage, is_transient};
pub(super) use warnings::Warnings;
