//! Docker's `config.json`, credential helpers and `hosts.toml`, as other tools write them.
