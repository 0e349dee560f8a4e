//! `.helmignore`, as Helm reads it: which files of a chart directory do not belong to the chart.

use super::pattern::{BadPattern, Pattern};

/// Why a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("double-star (**) syntax is not supported")]
    DoubleStar,
    #[error(transparent)]
    Pattern(#[from] BadPattern),
}

#[derive(Debug, Clone)]
enum Target {
    /// The rule has no `/`: it is about the last part of the path.
    Name,
    /// The rule has a `/` inside or at its start: it is about the whole path.
    Path,
}

#[derive(Debug, Clone)]
struct Rule {
    pattern: Pattern,
    target: Target,
    negated: bool,
    directories_only: bool,
}

/// The rules of a `.helmignore` file, in order.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules(Vec<Rule>);

impl IgnoreRules {
    /// Reads a file's rules and adds Helm's own one: hidden files directly in `templates/`. A rule that cannot be used
    /// is an error with its byte range.
    pub fn parse(text: &str) -> Result<Self, (std::ops::Range<usize>, RuleError)> {
        let mut rules = IgnoreRules::default();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let rule = line.trim();
            if !rule.is_empty() && !rule.starts_with('#') {
                let at = start + (line.len() - line.trim_start().len());
                rules.add(rule).map_err(|error| (at..at + rule.len(), error))?;
            }
            start += line.len();
        }
        rules.add("templates/.?*").expect("a valid rule");
        Ok(rules)
    }

    fn add(&mut self, rule: &str) -> Result<(), RuleError> {
        if rule.contains("**") {
            return Err(RuleError::DoubleStar);
        }
        Pattern::new(rule)?;
        let (negated, rule) = rule.strip_prefix('!').map_or((false, rule), |rest| (true, rest));
        let (directories_only, rule) = rule.strip_suffix('/').map_or((false, rule), |rest| (true, rest));
        let (target, rule) = match rule.strip_prefix('/') {
            Some(rest) => (Target::Path, rest),
            None if rule.contains('/') => (Target::Path, rule),
            None => (Target::Name, rule),
        };
        self.0.push(Rule { pattern: Pattern::new(rule)?, target, negated, directories_only });
        Ok(())
    }

    /// Whether the file or directory at this path, relative to the chart, is left out. A negated rule leaves out
    /// everything that does not match it: that is how Helm reads `!`, unlike git.
    pub fn ignores(&self, path: &str, is_directory: bool) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        for rule in &self.0 {
            let subject = match rule.target {
                Target::Name => name,
                Target::Path => path,
            };
            let applies = !rule.directories_only || is_directory;
            if rule.negated {
                if !applies || !rule.pattern.matches(subject) {
                    return true;
                }
            } else if applies && rule.pattern.matches(subject) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_apply_as_in_helm() {
        let rules = IgnoreRules::parse("# c\n*.bak\n/root.txt\nsubdir/\n d/*.txt \n[ab].c\n").expect("rules");
        for (path, is_directory, ignored) in [
            ("a.bak", false, true),
            ("x/a.bak", false, true),
            ("root.txt", false, true),
            ("e/root.txt", false, false),
            ("subdir", true, true),
            ("subdir", false, false),
            ("d/subdir", true, true),
            ("d/x.txt", false, true),
            ("e/d/x.txt", false, false),
            ("a.c", false, true),
            ("c.c", false, false),
            ("templates/.hidden", false, true),
            ("templates/sub/.hidden", false, false),
            ("templates/.", false, false),
        ] {
            assert_eq!(rules.ignores(path, is_directory), ignored, "{path}");
        }
    }

    #[test]
    fn a_negated_rule_drops_what_it_does_not_match() {
        let rules = IgnoreRules::parse("!keep.txt").expect("rules");
        assert!(!rules.ignores("keep.txt", false));
        assert!(rules.ignores("Chart.yaml", false));
    }

    #[test]
    fn bad_rules_are_errors_at_their_place() {
        assert_eq!(IgnoreRules::parse("a\n  b/**\n").unwrap_err(), (4..8, RuleError::DoubleStar));
        assert_eq!(IgnoreRules::parse("[\n").unwrap_err(), (0..1, RuleError::Pattern(BadPattern)));
    }
}
