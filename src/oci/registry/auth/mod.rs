//! Authentication: challenges, token services, and the `Authorization` header of requests.

mod authenticator;
mod challenge;
mod exchange;
mod grant;
mod realm;
mod scan;
mod token;

pub(super) use authenticator::Authenticator;
pub(super) use challenge::Challenge;
