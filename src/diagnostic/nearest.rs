//! Which known name a misspelt one is meant to be.

/// The candidate nearest to `name`, if one is near enough to be meant: case and separators count nothing, and
/// one edit in three characters is allowed.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_within(name, (name.chars().count() / 3).clamp(1, 3), candidates)
}

/// The candidate nearest to `name` with at most `limit` edits.
pub fn nearest_within<'a>(name: &str, limit: usize, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(name);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.len().abs_diff(name.len()) > limit + 4 {
            continue;
        }
        let distance = if candidate.eq_ignore_ascii_case(name) || fold(candidate) == folded {
            0
        } else {
            distance(&folded, &fold(candidate))
        };
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|char| !matches!(char, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// Edits between two words, where a swap of neighbours is one (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut rows = vec![0usize; width * 3];
    for (at, cell) in rows[..width].iter_mut().enumerate() {
        *cell = at;
    }
    for i in 1..=a.len() {
        let (now, last, before) = ((i % 3) * width, ((i + 2) % 3) * width, ((i + 1) % 3) * width);
        rows[now] = i;
        for j in 1..=b.len() {
            let substitution = rows[last + j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = substitution.min(rows[last + j] + 1).min(rows[now + j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[before + j - 2] + 1);
            }
            rows[now + j] = least;
        }
    }
    rows[(a.len() % 3) * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_find_their_meaning() {
        let fields = ["image", "imagePullPolicy", "name", "ports", "env", "envFrom"];
        assert_eq!(nearest("imagePulPolicy", fields), Some("imagePullPolicy"));
        assert_eq!(nearest("imagepullpolicy", fields), Some("imagePullPolicy"));
        assert_eq!(nearest("image_pull_policy", fields), Some("imagePullPolicy"));
        assert_eq!(nearest("nmae", fields), Some("name"));
        assert_eq!(nearest("prots", fields), Some("ports"));
        assert_eq!(nearest("port", fields), Some("ports"));
        assert_eq!(nearest("replicas", fields), None);
        assert_eq!(nearest("x", fields), None);
        assert_eq!(nearest("", fields), None);
    }
}
