//! The arrows between modules: each may use only what the table allows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const ALLOWED: &[(&str, &[&str])] = &[
    ("diagnostic", &[]),
    ("fs", &[]),
    ("yaml", &["diagnostic", "value"]),
    ("value", &[]),
    ("regexp", &["value"]),
    ("version", &[]),
    ("chart", &["version", "yaml", "fs", "diagnostic"]),
    ("values", &["version", "yaml", "value", "diagnostic", "chart", "fs"]),
    ("template", &["regexp", "version", "chart", "diagnostic", "value", "yaml"]),
    ("manifest", &["version", "yaml", "diagnostic", "value"]),
    ("schema", &["regexp", "version", "manifest", "yaml", "value", "diagnostic", "chart", "fs"]),
    ("package", &["version", "chart", "fs", "diagnostic", "yaml", "value"]),
    ("repository", &["version", "package", "chart", "fs", "diagnostic", "yaml", "value"]),
    ("readme", &["chart", "values", "template", "yaml", "value", "diagnostic"]),
    ("render", &["version", "chart", "values", "template", "manifest", "schema", "yaml", "value", "diagnostic"]),
];

#[test]
fn modules_use_only_what_the_table_allows() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in rust_files(&src) {
        let relative = file.strip_prefix(&src).expect("under src");
        let first = relative.components().next().expect("a file").as_os_str().to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&file).expect("readable source");
        for part in text.split("crate::").skip(1) {
            let names = part.strip_prefix('{').map_or(part, |group| group.split('}').next().unwrap_or_default());
            let names = if part.starts_with('{') { names.split(',').collect() } else { vec![names] };
            for name in names {
                let name: String = name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                used.entry(module.clone()).or_default().insert(name);
            }
        }
    }
    let mut wrong = Vec::new();
    for (module, allowed) in ALLOWED {
        for name in used.get(*module).into_iter().flatten() {
            let known = ALLOWED.iter().any(|(other, _)| other == name) || name == "cli";
            if known && name != module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{module} uses {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the design does not have: {wrong:?}");
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).expect("readable directory") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
