//! Slash-separated paths. The `os` functions are the same here as on every Unix.

use super::Type::Str;
use super::{Function, text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base", &[Str], |_, a| Ok(base(text(a, 0)).into())),
    Function::new("dir", &[Str], |_, a| Ok(directory(text(a, 0)).into())),
    Function::new("clean", &[Str], |_, a| Ok(clean(text(a, 0)).into())),
    Function::new("ext", &[Str], |_, a| Ok(extension(text(a, 0)).into())),
    Function::new("isAbs", &[Str], |_, a| Ok(text(a, 0).starts_with('/').into())),
    Function::new("osBase", &[Str], |_, a| Ok(base(text(a, 0)).into())),
    Function::new("osDir", &[Str], |_, a| Ok(directory(text(a, 0)).into())),
    Function::new("osClean", &[Str], |_, a| Ok(clean(text(a, 0)).into())),
    Function::new("osExt", &[Str], |_, a| Ok(extension(text(a, 0)).into())),
    Function::new("osIsAbs", &[Str], |_, a| Ok(text(a, 0).starts_with('/').into())),
];

fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/').rsplit('/').next() {
        None | Some("") => "/",
        Some(name) => name,
    }
}

fn directory(path: &str) -> String {
    clean(path.rfind('/').map_or("", |slash| &path[..=slash]))
}

/// The shortest path that means the same, without a look at the disk.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn extension(path: &str) -> &str {
    let name = path.rfind('/').map_or(path, |slash| &path[slash + 1..]);
    name.rfind('.').map_or("", |dot| &name[dot..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        for (path, name, parent, shortest, suffix) in [
            ("", ".", ".", ".", ""),
            ("/", "/", "/", "/", ""),
            ("a/b.tar.gz", "b.tar.gz", "a", "a/b.tar.gz", ".gz"),
            ("/a//b/../c/", "c", "/a/c", "/a/c", ""),
            ("../../x", "x", "../..", "../../x", ""),
            ("/../x.d/y", "y", "/x.d", "/x.d/y", ""),
            ("./a/..", "..", "a", ".", "."),
        ] {
            assert_eq!(base(path), name, "{path}");
            assert_eq!(directory(path), parent, "{path}");
            assert_eq!(clean(path), shortest, "{path}");
            assert_eq!(extension(path), suffix, "{path}");
        }
    }
}
