//! The environment variables that may hold secrets of the publisher.

/// The variables that this command reads and that may hold secrets. Compilers do not get them, because they run code of
/// others, such as the build scripts of dependencies, which may print or store their environment.
pub(crate) const SECRET_VARIABLES: [&str; 6] = [
    "WASH_ISSUER_KEY",
    "WASH_SUBJECT_KEY",
    "WASH_REG_PASSWORD",
    "WASMCLOUD_OCI_REGISTRY_PASSWORD",
    "SIGSTORE_ID_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
];
