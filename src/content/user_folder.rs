//! The user's folders, by the XDG base directory specification.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

/// The folder that `variable` names, such as `XDG_CONFIG_HOME`, or else `default` in the home folder.
///
/// `None` when neither is known: nobody has to have a home, as containers that run under any number show.
pub(crate) fn user_folder(variable: &str, default: &str) -> Option<PathBuf> {
    choose(std::env::var_os(variable), default, home)
}

/// The user's home: `HOME`, or else what the system knows of the user, as services without variables need.
/// What is no folder is no home: services have `/dev/null`.
pub(crate) fn home() -> Option<PathBuf> {
    let home = etcetera::home_dir().ok()?;
    let other = fs::metadata(&home).is_ok_and(|found| !found.is_dir());
    (!other).then_some(home)
}

/// What is no absolute path is to be ignored.
fn choose(
    named: Option<OsString>,
    default: &str,
    home: impl FnOnce() -> Option<PathBuf>,
) -> Option<PathBuf> {
    let named = named.map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| Some(home()?.join(default)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_variable_names_needs_no_home() {
        let chosen = |named: Option<&str>, home: Option<&str>| {
            choose(named.map(OsString::from), ".config", || {
                home.map(PathBuf::from)
            })
        };
        let path = |path: &str| Some(PathBuf::from(path));
        assert_eq!(chosen(Some("/etc/x"), None), path("/etc/x"));
        assert_eq!(chosen(Some("/etc/x"), Some("/home/jane")), path("/etc/x"));
        for named in [None, Some(""), Some("config")] {
            assert_eq!(
                chosen(named, Some("/home/jane")),
                path("/home/jane/.config")
            );
            assert_eq!(chosen(named, None), None);
        }
    }
}
