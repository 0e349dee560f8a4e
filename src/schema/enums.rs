//! Allowed values that Kubernetes' schemas name only in descriptions, read out of them when the bundle is made.
//!
//! Two forms are understood. A list in a sentence: a phrase such as `must be`, `one of` or `valid values are`, then
//! two or more values, quoted or in CamelCase, between commas, `or`, `and` or `/`. A list of bullets: `values are:`
//! or the like, then `- Value: …` or `Value - …`. The longest list of a description counts. What this reads
//! wrongly or misses stands in `schemas/corrections.txt`, which has the last word; the outcome is
//! `schemas/enums.txt`, to be read by a person.

use regex::Regex;
use std::collections::BTreeMap;

const INTRODUCTION: &str = r#"(?x)(?i:
    (?:must|can|should|may|is|are) \s (?:be \s)? (?:set \s to \s)? (?:either \s | one \s of :? \s (?:the \s following :? \s)? | any \s of \s)?
  | \b (?:one|any) \s of :? \s
  | \b (?:valid|supported|allowed|acceptable|possible) \s (?:enum \s)? (?:values|options|operators|reasons|types)? \s? (?:are|is|include)? :? \s
  | : \s
  | \s either \s
  | \s set \s as \s
)"#;
const VALUE: &str = r#"(?x)^\s* (?:
    "([^"\s]+)" | '([^'\s]+)' | `"?([^`"\s]+)"?` | \[?"?([A-Z][A-Za-z0-9]*)"?\]?
) (?:\s* \([^)]*\))?"#;
const SEPARATOR: &str = r"^\s*(?:,\s*(?:or|and)?\s|\sor\s|\sand\s|/)\s*";
const BULLETS: &str = r"(?i)(?:values|options|types)\s(?:are|is|currently supported):|currently supported:|values:";
const BULLET: &str = r#"(?x)(?: (?:^|[\s\n;]) [-*] \s `?["']? ([A-Z][A-Za-z0-9]*|\*) ["']?`? (?:\s\([^)]*\))? (?::|\s-\s|\smeans\s) | \n\s* ([A-Z][A-Za-z0-9]*) \s-\s )"#;

/// Reads allowed values out of descriptions.
#[derive(Debug)]
pub struct Miner {
    introduction: Regex,
    value: Regex,
    separator: Regex,
    bullets: Regex,
    bullet: Regex,
}

impl Default for Miner {
    fn default() -> Self {
        let compile = |pattern| Regex::new(pattern).expect("the patterns are valid");
        Miner {
            introduction: compile(INTRODUCTION),
            value: compile(VALUE),
            separator: compile(SEPARATOR),
            bullets: compile(BULLETS),
            bullet: compile(BULLET),
        }
    }
}

impl Miner {
    /// The values that a description allows; empty when it lists none.
    pub fn mine(&self, description: &str) -> Vec<String> {
        let mut best = self.bullets(description);
        for introduction in self.introduction.find_iter(description) {
            let values = self.list(&description[introduction.end()..]);
            if values.len() >= 2 && values.len() > best.len() {
                best = values;
            }
        }
        best.sort();
        best.dedup();
        best
    }

    fn list(&self, mut text: &str) -> Vec<String> {
        let mut values = Vec::new();
        while let Some(found) = self.value.captures(text) {
            let value = found.iter().skip(1).flatten().next().map_or("", |value| value.as_str());
            values.push(value.trim_end_matches([',', '.']).to_owned());
            text = &text[found.get(0).map_or(0, |all| all.end())..];
            match self.separator.find(text) {
                Some(separator) => text = &text[separator.end()..],
                None => break,
            }
        }
        values
    }

    fn bullets(&self, description: &str) -> Vec<String> {
        let Some(start) = self.bullets.find(description) else { return Vec::new() };
        let text = &description[start.end()..];
        let found = self.bullet.captures_iter(text);
        let values: Vec<String> =
            found.filter_map(|it| it.iter().skip(1).flatten().next().map(|value| value.as_str().to_owned())).collect();
        if values.len() >= 2 { values } else { Vec::new() }
    }
}

/// `schemas/corrections.txt`: what a person knows better than the descriptions.
#[derive(Debug, Default)]
pub struct Corrections {
    /// Values by `definition.field`; none when the field is open.
    values: BTreeMap<String, Vec<String>>,
}

impl Corrections {
    /// Reads lines `definition field = value|value` or `definition field open`, with `#` comments.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong =
                || format!("line {}: expected `definition field = value|value` or `definition field open`", at + 1);
            let (definition, rest) = line.split_once(' ').ok_or_else(wrong)?;
            let (field, rest) = rest.trim().split_once(' ').ok_or_else(wrong)?;
            let list = match rest.trim() {
                "open" => Vec::new(),
                rest => {
                    let list = rest.strip_prefix('=').ok_or_else(wrong)?.trim();
                    list.split('|').map(|value| value.trim().to_owned()).collect()
                }
            };
            values.insert(format!("{definition}.{field}"), list);
        }
        Ok(Corrections { values })
    }

    /// The corrected values of a field; versions of a group share a line written with `v*`: `core.v*.Container`.
    pub fn of(&self, definition: &str, field: &str) -> Option<&[String]> {
        let exact = self.values.get(&format!("{definition}.{field}"));
        exact.or_else(|| self.values.get(&format!("{}.{field}", any_version(definition)))).map(Vec::as_slice)
    }
}

/// `networking.v*.IPBlock` for `networking.v1beta1.IPBlock`.
fn any_version(definition: &str) -> String {
    let mut parts: Vec<&str> = definition.split('.').collect();
    if parts.len() == 3 && parts[1].starts_with('v') {
        parts[1] = "v*";
    }
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_sentences_and_bullets() {
        let miner = Miner::default();
        let mine = |text| miner.mine(text).join("|");
        assert_eq!(mine("Protocol for port. Must be UDP, TCP, or SCTP. Defaults to \"TCP\"."), "SCTP|TCP|UDP");
        assert_eq!(
            mine("Image pull policy. One of Always, Never, IfNotPresent. Defaults to Always."),
            "Always|IfNotPresent|Never"
        );
        assert_eq!(mine("Valid values are 'None', 'Default' or 'ClusterFirst'."), "ClusterFirst|Default|None");
        assert_eq!(
            mine("Valid values are:\n\n- \"Allow\" (default): allows; - \"Forbid\": forbids; - \"Replace\": cancels"),
            "Allow|Forbid|Replace"
        );
        assert_eq!(mine("Valid options are:\n  Localhost - a profile.\n  Unconfined - none."), "Localhost|Unconfined");
        assert_eq!(mine("Name of the object. Must be unique."), "");
    }

    #[test]
    fn corrections_reach_all_versions_of_a_group() {
        let corrections =
            Corrections::read("# reviewed\ncore.v1.Taint effect open\nnetworking.v*.IPBlock cidr = a|b  # why\n")
                .unwrap();
        assert_eq!(corrections.of("core.v1.Taint", "effect"), Some(&[][..]));
        assert_eq!(corrections.of("networking.v1beta1.IPBlock", "cidr"), Some(&["a".to_owned(), "b".to_owned()][..]));
        assert_eq!(corrections.of("core.v1.Pod", "kind"), None);
        assert!(Corrections::read("core.v1.Taint effect").is_err());
    }
}
