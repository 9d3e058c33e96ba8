//! Storage behind the registry, and other repositories beside it.
