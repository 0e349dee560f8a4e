//! Go's file name patterns, by which `--show-only` names templates.

/// Go's `filepath.Match`: `*` and `?` stop at `/`, `[a-z]` and `[^a-z]` are classes, `\` escapes. A malformed
/// pattern matches nothing.
pub(super) fn glob(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<char>, Vec<char>) = (pattern.chars().collect(), path.chars().collect());
    glob_at(&pattern, &path)
}

fn glob_at(pattern: &[char], path: &[char]) -> bool {
    let (mut at, mut text) = (0, 0);
    // Where to go on when the text does not match: after the last star, one character later.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let next = if at == pattern.len() && text == path.len() {
            return true;
        } else if at < pattern.len() && pattern[at] == '*' {
            retry = Some((at + 1, text));
            at += 1;
            continue;
        } else if at < pattern.len() && text < path.len() {
            single(&pattern[at..], path[text])
        } else {
            None
        };
        match (next, retry) {
            (Some(width), _) => {
                at += width;
                text += 1;
            }
            (None, Some((after, from))) if from < path.len() && path[from] != '/' => {
                retry = Some((after, from + 1));
                (at, text) = (after, from + 1);
            }
            (None, _) => return false,
        }
    }
}

/// How many characters of the pattern match this one character.
fn single(pattern: &[char], char: char) -> Option<usize> {
    match pattern[0] {
        '?' => (char != '/').then_some(1),
        '\\' => (*pattern.get(1)? == char).then_some(2),
        '[' => {
            let negated = pattern.get(1) == Some(&'^');
            let mut at = 1 + usize::from(negated);
            let first = at;
            let mut found = false;
            while *pattern.get(at)? != ']' || at == first {
                let (low, next) = class_char(pattern, at)?;
                let (high, next) =
                    if pattern.get(next) == Some(&'-') { class_char(pattern, next + 1)? } else { (low, next) };
                found |= (low..=high).contains(&char);
                at = next;
            }
            (found != negated).then_some(at + 1)
        }
        literal => (literal == char).then_some(1),
    }
}

fn class_char(pattern: &[char], at: usize) -> Option<(char, usize)> {
    match *pattern.get(at)? {
        '-' | ']' => None,
        '\\' => Some((*pattern.get(at + 1)?, at + 2)),
        char => Some((char, at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs_match_as_in_go() {
        // (pattern, path, matches): the table of Go's filepath.Match documentation and its corner cases.
        for (pattern, path, expected) in [
            ("templates/cm.yaml", "templates/cm.yaml", true),
            ("templates/*.yaml", "templates/cm.yaml", true),
            ("templates/*.yaml", "templates/deep/cm.yaml", false),
            ("templates/*", "templates/deep/cm.yaml", false),
            ("*/*/cm.yaml", "templates/deep/cm.yaml", true),
            ("*", "", true),
            ("a*b*c", "axbxbxc", true),
            ("a*/b", "a/c/b", false),
            ("a?b", "a/b", false),
            ("[a-c]x[^a-c]", "bxd", true),
            ("[a-c]x[^a-c]", "bxa", false),
            ("[]a]", "]", false),
            ("[-]", "-", false),
            ("[x-", "x", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("templates/", "templates/x", false),
        ] {
            assert_eq!(glob(pattern, path), expected, "{pattern} on {path}");
        }
    }
}
