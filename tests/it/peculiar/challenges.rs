//! Challenges and the answers of token services.
