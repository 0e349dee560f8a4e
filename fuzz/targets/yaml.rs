//! Reading YAML never panics, the quick pass finds what the tokens say, and heads are those of documents that read well.
#![no_main]

use chart::diagnostic::FileId;
use chart::yaml;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let parsed = yaml::read_part(text, 0, FileId(0));
    let slow = yaml::read_by_tokens(text, 0, FileId(0));
    // Numbers that are none differ from themselves; such documents are refused.
    assert_eq!(parsed.documents, slow.documents);
    assert_eq!(parsed.findings, slow.findings);
    assert_eq!(parsed.error.as_ref().map(|error| &error.go), slow.error.as_ref().map(|error| &error.go));
    if yaml::head(text).is_some() {
        assert!(parsed.error.is_none() && parsed.findings.is_empty(), "a head of what the reader refuses");
    }
    for document in &parsed.documents {
        let _ = yaml::to_yaml(&yaml::untagged(document, yaml::Numbers::Go));
    }
});
