//! Proxy variables in all their forms.
