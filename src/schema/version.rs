//! Kubernetes versions as the bundle has them: one per minor.

use super::bundle;
use std::fmt;

/// A Kubernetes minor of the embedded bundle: `1.31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubeVersion {
    minor: u16,
}

impl fmt::Display for KubeVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

impl KubeVersion {
    pub(super) fn of_minor(minor: u16) -> Self {
        KubeVersion { minor }
    }

    pub(super) fn minor(self) -> u16 {
        self.minor
    }

    /// The oldest embedded version.
    pub fn oldest() -> Self {
        KubeVersion { minor: bundle::minors().0 }
    }

    /// The newest embedded version, which checks use by default.
    pub fn newest() -> Self {
        KubeVersion { minor: bundle::minors().1 }
    }

    /// All embedded versions, oldest first.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        let (oldest, newest) = bundle::minors();
        (oldest..=newest).map(|minor| KubeVersion { minor })
    }

    /// Its place in the masks of the bundle.
    pub(super) fn bit(self) -> u32 {
        1 << (self.minor - bundle::minors().0)
    }

    /// The embedded version for `1.31`, `v1.31.4`, `1.31.4-gke.100` or `master`: the nearest one where there is none
    /// for it, told by [`Chosen::exact`]. `None` when the text is no version.
    pub fn choose(text: &str) -> Option<Chosen> {
        let text = text.trim();
        if matches!(text, "master" | "latest") {
            return Some(Chosen { version: Self::newest(), exact: true });
        }
        let mut parts = text.strip_prefix(['v', 'V']).unwrap_or(text).splitn(3, '.');
        let number = |part: &str| {
            let digits = part.split(['-', '+']).next().unwrap_or_default();
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u16>().ok()).flatten()
        };
        let major = number(parts.next()?)?;
        let minor = number(parts.next()?)?;
        let asked = if major == 1 {
            minor
        } else if major == 0 {
            0
        } else {
            u16::MAX
        };
        let (oldest, newest) = bundle::minors();
        let nearest = asked.clamp(oldest, newest);
        Some(Chosen { version: KubeVersion { minor: nearest }, exact: nearest == asked })
    }

    /// The versions of `1.31` or of a range `1.29..1.37`, both ends included; either end may be left out.
    pub fn choose_range(text: &str) -> Option<Vec<Chosen>> {
        let Some((from, to)) = text.split_once("..") else { return Some(vec![Self::choose(text)?]) };
        let to = to.strip_prefix('=').unwrap_or(to);
        let end = |text: &str, open: Self| match text.trim() {
            "" => Some(Chosen { version: open, exact: true }),
            text => Self::choose(text),
        };
        let (from, to) = (end(from, Self::oldest())?, end(to, Self::newest())?);
        if from.version > to.version {
            return None;
        }
        let missed = |end: &Chosen, version| end.version == version && !end.exact;
        let exact = |version| !missed(&from, version) && !missed(&to, version);
        let minors = from.version.minor..=to.version.minor;
        Some(
            minors
                .map(|minor| KubeVersion { minor })
                .map(|version| Chosen { version, exact: exact(version) })
                .collect(),
        )
    }
}

/// An embedded version, chosen for one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    pub version: KubeVersion,
    /// Whether it is the minor that was asked for, not only the nearest.
    pub exact: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Option<(String, bool)> {
        KubeVersion::choose(text).map(|it| (it.version.to_string(), it.exact))
    }

    #[test]
    fn versions_are_read_as_people_write_them() {
        for text in ["1.31", "v1.31", "1.31.4", "v1.31.4+k3s1", "1.31.4-gke.100", "1.31+"] {
            assert_eq!(chosen(text), Some(("1.31".into(), true)), "{text}");
        }
        assert_eq!(chosen("1.20"), Some((KubeVersion::oldest().to_string(), false)));
        assert_eq!(chosen("1.99.0"), Some((KubeVersion::newest().to_string(), false)));
        assert_eq!(chosen("2.0"), Some((KubeVersion::newest().to_string(), false)));
        assert_eq!(chosen("master"), Some((KubeVersion::newest().to_string(), true)));
        for text in ["", "1", "one", "1.x", "v", "1.-1"] {
            assert_eq!(chosen(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_have_both_ends() {
        let range = |text| {
            KubeVersion::choose_range(text).map(|all| all.iter().map(|it| it.version.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(range("1.29..1.31").unwrap(), ["1.29", "1.30", "1.31"]);
        assert_eq!(range("1.30"), Some(vec!["1.30".to_owned()]));
        assert_eq!(range("1.36..").unwrap().first().unwrap(), "1.36");
        assert_eq!(range(".."), Some(KubeVersion::all().map(|it| it.to_string()).collect()));
        assert_eq!(range("1.31..1.29"), None);
    }
}
