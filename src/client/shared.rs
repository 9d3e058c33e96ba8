//! Values that the tasks of one process share by key, for as long as a task uses them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A map whose values live as long as a task holds them. Its size is bounded by the number of tasks.
pub(super) struct SharedMap<K, V>(Mutex<HashMap<K, Weak<V>>>);

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V: Default> SharedMap<K, V> {
    /// Returns the value that other tasks hold for `key`, or a new one.
    pub(super) fn join(&self, key: &K) -> Arc<V> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = values.get(key).and_then(Weak::upgrade) {
            return value;
        }
        values.retain(|_, value| value.strong_count() > 0);
        let value = Arc::new(V::default());
        values.insert(key.clone(), Arc::downgrade(&value));
        value
    }

    /// Removes `value`, so that the next [`join`](Self::join) of `key` returns a new one. Does nothing if the map has
    /// another value for `key`.
    pub(super) fn leave(&self, key: &K, value: &Arc<V>) {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_present = |known: &Weak<V>| std::ptr::eq(known.as_ptr(), Arc::as_ptr(value));
        if values.get(key).is_some_and(is_present) {
            values.remove(key);
        }
    }
}

#[cfg(test)]
#[path = "tests/shared.rs"]
mod tests;
