//! Versions and version ranges in Masterminds' grammar, which Helm uses for chart, dependency and Kubernetes versions.
//!
//! A [`Version`] is SemVer read loosely (`v1.2` is 1.2.0), a [`Constraint`] a set of ranges: groups joined by `||`,
//! in a group comparisons joined by blanks or commas. The grammar and its error texts are those of
//! `github.com/Masterminds/semver` 3.5; ordering is SemVer's.

use semver::{BuildMetadata, Prerelease};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Longest version text, in bytes.
const MAX_VERSION: usize = 256;
/// Longest constraint text, in bytes.
const MAX_CONSTRAINT: usize = 512;
/// Most groups that `||` may join.
const MAX_GROUPS: usize = 32;

/// Why a text is no version or constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("version string empty")]
    Empty,
    #[error("invalid semantic version")]
    Invalid,
    #[error("version string is too long (max {MAX_VERSION} bytes)")]
    TooLong,
    #[error("invalid characters in version")]
    Characters,
    #[error("version segment starts with 0")]
    LeadingZero,
    #[error("invalid metadata string")]
    Metadata,
    #[error("invalid prerelease string")]
    Prerelease,
    /// A number past `u64` in a loosely read version.
    #[error("error parsing version segment: strconv.ParseUint: parsing \"{0}\": value out of range")]
    Segment(String),
    /// A number past `u64` in a strictly read version.
    #[error("strconv.ParseUint: parsing \"{0}\": value out of range")]
    Range(String),
    /// The group that does not follow the grammar.
    #[error("improper constraint: {0:?}")]
    Improper(String),
    #[error("constraint parser error")]
    Constraint,
    #[error("constraint string is too long (max {MAX_CONSTRAINT} bytes)")]
    ConstraintTooLong,
    #[error("too many constraint groups (max {MAX_GROUPS})")]
    TooManyGroups,
}

/// A semantic version and the text it was read from. Build metadata does not count in comparisons.
#[derive(Debug, Clone)]
pub struct Version {
    parts: semver::Version,
    original: Box<str>,
}

impl Version {
    /// Reads a version as Helm does: a leading `v`, missing parts and leading zeros in the numbers are fine.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_VERSION {
            return Err(Error::TooLong);
        }
        let shape = Shape::scan(text, u8::is_ascii_digit).ok_or(Error::Invalid)?;
        if shape.length != text.len() {
            return Err(Error::Invalid);
        }
        let number = |digits: &str| match digits {
            "" => Ok(0),
            digits => digits.parse().map_err(|_| Error::Segment(digits.to_owned())),
        };
        let mut parts = semver::Version::new(number(shape.major)?, number(shape.minor)?, number(shape.patch)?);
        parts.pre = prerelease(shape.pre)?;
        parts.build = metadata(shape.metadata)?;
        Ok(Version { parts, original: text.into() })
    }

    /// Reads a version that must follow SemVer 2 to the letter.
    pub fn parse_strict(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_VERSION {
            return Err(Error::TooLong);
        }
        if text.is_empty() {
            return Err(Error::Empty);
        }
        let mut segments = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (segments.next(), segments.next(), segments.next()) else {
            return Err(Error::Invalid);
        };
        let (rest, build) = match rest.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (rest, None),
        };
        let build =
            build.map_or(Ok(BuildMetadata::EMPTY), |text| non_empty(text, Error::Metadata).and_then(metadata))?;
        let (patch, pre) = match rest.split_once('-') {
            Some((patch, pre)) => (patch, Some(pre)),
            None => (rest, None),
        };
        let pre = pre.map_or(Ok(Prerelease::EMPTY), |text| non_empty(text, Error::Prerelease).and_then(prerelease))?;
        for segment in [major, minor, patch] {
            if !segment.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Error::Characters);
            }
            if segment.len() > 1 && segment.starts_with('0') {
                return Err(Error::LeadingZero);
            }
        }
        let number = |digits: &str| match digits {
            "" => Err(Error::Invalid),
            digits => digits.parse().map_err(|_| Error::Range(digits.to_owned())),
        };
        let parts = semver::Version { major: number(major)?, minor: number(minor)?, patch: number(patch)?, pre, build };
        Ok(Version { parts, original: text.into() })
    }

    /// 0.0.0, spelt with no text at all: what is left of a version of which nothing may be read.
    pub fn zero() -> Self {
        Version { parts: semver::Version::new(0, 0, 0), original: "".into() }
    }

    /// A version from its parts, spelt with a leading `v` or without.
    pub fn from_parts(parts: semver::Version, leading_v: bool) -> Self {
        let original = if leading_v { format!("v{parts}") } else { parts.to_string() }.into();
        Version { parts, original }
    }

    /// Major, minor, patch, prerelease and build metadata.
    pub fn parts(&self) -> &semver::Version {
        &self.parts
    }

    pub fn major(&self) -> u64 {
        self.parts.major
    }

    pub fn minor(&self) -> u64 {
        self.parts.minor
    }

    pub fn patch(&self) -> u64 {
        self.parts.patch
    }

    pub fn is_prerelease(&self) -> bool {
        !self.parts.pre.is_empty()
    }

    /// The text that was read: `v1.2`.
    pub fn original(&self) -> &str {
        &self.original
    }
}

/// The normal form: `1.2.0`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(f)
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Version::parse(text)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// SemVer's precedence.
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp_precedence(&other.parts)
    }
}

fn non_empty(text: &str, error: Error) -> Result<&str, Error> {
    if text.is_empty() { Err(error) } else { Ok(text) }
}

fn prerelease(text: &str) -> Result<Prerelease, Error> {
    Prerelease::new(text).map_err(|_| {
        // The first part that is wrong decides which error it is.
        let part = text.split('.').find(|part| Prerelease::new(part).is_err() || part.is_empty()).unwrap_or_default();
        let numeric = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if numeric { Error::LeadingZero } else { Error::Prerelease }
    })
}

fn metadata(text: &str) -> Result<BuildMetadata, Error> {
    BuildMetadata::new(text).map_err(|_| Error::Metadata)
}

/// The pieces of a version at the start of a text, with what may stand for a number left open.
#[derive(Debug, Clone, Copy)]
struct Shape<'a> {
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    pre: &'a str,
    metadata: &'a str,
    /// Bytes that the version takes.
    length: usize,
}

impl<'a> Shape<'a> {
    /// `v?N(.N)?(.N)?(-ids)?(+ids)?`, as much of it as there is.
    fn scan(text: &'a str, is_number: fn(&u8) -> bool) -> Option<Self> {
        let bytes = text.as_bytes();
        let run = |from: usize, is_part: fn(&u8) -> bool| {
            let length = bytes.get(from..)?.iter().take_while(|byte| is_part(byte)).count();
            (length > 0).then(|| &text[from..from + length])
        };
        let dotted = |from: usize| bytes.get(from).filter(|&&byte| byte == b'.').and_then(|_| run(from + 1, is_number));
        let identifiers = |from: usize, mark: u8| {
            bytes.get(from).filter(|&&byte| byte == mark)?;
            let mut end = from + 1 + run(from + 1, is_identifier)?.len();
            while bytes.get(end) == Some(&b'.')
                && let Some(part) = run(end + 1, is_identifier)
            {
                end += 1 + part.len();
            }
            Some(&text[from + 1..end])
        };
        let start = usize::from(bytes.first() == Some(&b'v'));
        let major = run(start, is_number)?;
        let mut length = start + major.len();
        let mut take = |piece: Option<&'a str>| {
            let piece = piece.unwrap_or_default();
            length += if piece.is_empty() { 0 } else { piece.len() + 1 };
            (piece, length)
        };
        let (minor, end) = take(dotted(start + major.len()));
        let (patch, end) = take(if minor.is_empty() { None } else { dotted(end) });
        let (pre, end) = take(identifiers(end, b'-'));
        let (metadata, length) = take(identifiers(end, b'+'));
        Some(Shape { major, minor, patch, pre, metadata, length })
    }
}

fn is_identifier(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'-'
}

/// What may stand for a number in a constraint. The bar is an accident of the grammar that decides between errors.
fn is_number_or_wildcard(byte: &u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// Spellings of operators, longest first.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// The first part of a comparison's version that is missing or a wildcard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    None,
    Patch,
    Minor,
    Major,
}

#[derive(Debug, Clone)]
struct Comparison {
    operator: Operator,
    version: Version,
    open: Open,
    /// Operator and version as written.
    spelling: (Box<str>, Box<str>),
}

/// A range of versions: `>=1.25.0-0 <2 || ~3.1`.
///
/// A prerelease matches only a group in which some version has a prerelease itself.
#[derive(Debug, Clone)]
pub struct Constraint {
    groups: Vec<Group>,
}

#[derive(Debug, Clone)]
struct Group {
    comparisons: Vec<Comparison>,
    prereleases: bool,
}

impl Constraint {
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_CONSTRAINT {
            return Err(Error::ConstraintTooLong);
        }
        let text = rewrite_ranges(text);
        if text.split("||").count() > MAX_GROUPS {
            return Err(Error::TooManyGroups);
        }
        Ok(Constraint { groups: text.split("||").map(Group::parse).collect::<Result<_, _>>()? })
    }

    pub fn matches(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            group.comparisons.iter().all(|comparison| comparison.check(version, group.prereleases).is_ok())
        })
    }

    /// Like [`Constraint::matches`], with the reasons why nothing matches.
    pub fn validate(&self, version: &Version) -> Result<(), Vec<String>> {
        let mut reasons = Vec::new();
        let mut told_of_prerelease = false;
        for group in &self.groups {
            let before = reasons.len();
            let mut matches = true;
            for comparison in &group.comparisons {
                if !group.prereleases && version.is_prerelease() {
                    matches = false;
                    if !told_of_prerelease {
                        reasons.push(prerelease_reason(version));
                        told_of_prerelease = true;
                    }
                } else if let Err(reason) = comparison.check(version, group.prereleases) {
                    reasons.push(reason.text(version, &comparison.spelling.1));
                }
            }
            if matches && reasons.len() == before {
                return Ok(());
            }
        }
        Err(reasons)
    }
}

impl FromStr for Constraint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Constraint::parse(text)
    }
}

/// The comparisons as read, hyphen ranges in their long form.
impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.groups.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " || " })?;
            for (index, comparison) in group.comparisons.iter().enumerate() {
                let (operator, version) = &comparison.spelling;
                write!(f, "{}{operator}{version}", if index == 0 { "" } else { " " })?;
            }
        }
        Ok(())
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, Error> {
        let improper = || Error::Improper(text.to_owned());
        let blanks = |at: usize| at + text[at..].bytes().take_while(|byte| is_blank(*byte)).count();
        let mut pieces = Vec::new();
        let mut at = blanks(0);
        loop {
            let operator = OPERATORS.iter().find(|(spelling, _)| text[at..].starts_with(spelling));
            let (spelling, operator) = operator.copied().unwrap_or(("", Operator::Equal));
            at = blanks(at + spelling.len());
            let shape = Shape::scan(&text[at..], is_number_or_wildcard).ok_or_else(improper)?;
            pieces.push((spelling, operator, &text[at..at + shape.length], shape));
            at += shape.length;
            let next = blanks(at);
            if next == text.len() {
                break;
            }
            let comma = text.as_bytes()[next] == b',';
            if !comma && next == at {
                return Err(improper());
            }
            at = if comma { blanks(next + 1) } else { next };
        }
        let comparisons: Vec<_> = pieces
            .into_iter()
            .map(|(spelling, operator, version, shape)| Comparison::new(spelling, operator, version, shape))
            .collect::<Result<_, _>>()?;
        let prereleases = comparisons.iter().any(|comparison| comparison.version.is_prerelease());
        Ok(Group { comparisons, prereleases })
    }
}

/// Go's `\s`.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0C' | b'\r')
}

/// Writes `1.2 - 2` as `>= 1.2, <= 2 `.
fn rewrite_ranges(text: &str) -> String {
    let mut result = text.to_owned();
    let mut at = 0;
    while at < text.len() {
        match hyphen_range(&text[at..]) {
            Some((length, low, high)) => {
                result = result.replacen(&text[at..at + length], &format!(">= {low}, <= {high} "), 1);
                at += length;
            }
            None => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    result
}

/// A hyphen range that starts right here: its length with the blanks around it, and the two versions.
fn hyphen_range(text: &str) -> Option<(usize, &str, &str)> {
    let blanks = |at: usize| at + text[at..].bytes().take_while(|byte| is_blank(*byte)).count();
    let version = |at: usize| {
        let length = Shape::scan(&text[at..], is_number_or_wildcard)?.length;
        Some(&text[at..at + length])
    };
    let start = blanks(0);
    let low = version(start)?;
    let gap = start + low.len();
    let hyphen = blanks(gap);
    if hyphen == gap || text.as_bytes().get(hyphen) != Some(&b'-') {
        return None;
    }
    let second = blanks(hyphen + 1);
    if second == hyphen + 1 {
        return None;
    }
    let high = version(second)?;
    Some((blanks(second + high.len()), low, high))
}

/// Why a comparison does not hold.
#[derive(Debug, Clone, Copy)]
enum Reason {
    Prerelease,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Major,
    MajorAndMinor,
    Minor,
    MinorUnderZero,
    Patch,
}

impl Reason {
    fn text(self, version: &Version, wanted: &str) -> String {
        let (relation, end) = match self {
            Reason::Prerelease => return prerelease_reason(version),
            Reason::Equal => ("is equal to", ""),
            Reason::NotEqual => ("is not equal to", ""),
            Reason::Less => ("is less than", ""),
            Reason::Greater => ("is greater than", ""),
            Reason::LessOrEqual => ("is less than or equal to", ""),
            Reason::GreaterOrEqual => ("is greater than or equal to", ""),
            Reason::Major => ("does not have same major version as", ""),
            Reason::MajorAndMinor => ("does not have same major and minor version as", ""),
            Reason::Minor => ("does not have same minor version as", ""),
            Reason::MinorUnderZero => (
                "does not have same minor version as",
                ". Expected minor versions to match when constraint major version is 0",
            ),
            Reason::Patch => {
                ("does not equal", ". Expect version and constraint to equal when major and minor versions are 0")
            }
        };
        format!("\"{version}\" {relation} \"{wanted}\"{end}")
    }
}

fn prerelease_reason(version: &Version) -> String {
    format!("\"{version}\" is a prerelease version and the constraint is only looking for release versions")
}

impl Comparison {
    fn new(spelling: &str, operator: Operator, text: &str, shape: Shape<'_>) -> Result<Self, Error> {
        let is_open = |part: &str| matches!(part, "" | "x" | "X" | "*");
        let pre = if shape.pre.is_empty() { String::new() } else { format!("-{}", shape.pre) };
        let (open, version) = if is_open(shape.major) {
            (Open::Major, format!("0.0.0{pre}"))
        } else if is_open(shape.minor) {
            (Open::Minor, format!("{}.0.0{pre}", shape.major))
        } else if is_open(shape.patch) {
            (Open::Patch, format!("{}.{}.0{pre}", shape.major, shape.minor))
        } else {
            (Open::None, text.to_owned())
        };
        let version = Version::parse(&version).map_err(|_| Error::Constraint)?;
        Ok(Comparison { operator, version, open, spelling: (spelling.into(), text.into()) })
    }

    fn check(&self, version: &Version, prereleases: bool) -> Result<(), Reason> {
        if version.is_prerelease() && !prereleases {
            return Err(Reason::Prerelease);
        }
        let holds = |condition: bool, reason: Reason| if condition { Ok(()) } else { Err(reason) };
        match self.operator {
            Operator::Equal if self.open == Open::None => holds(*version == self.version, Reason::NotEqual),
            Operator::Equal | Operator::Tilde => self.check_tilde(version),
            Operator::Caret => self.check_caret(version),
            Operator::NotEqual => holds(self.differs(version), Reason::Equal),
            Operator::Less => holds(*version < self.version, Reason::GreaterOrEqual),
            Operator::GreaterEqual => holds(*version >= self.version, Reason::Less),
            Operator::Greater => holds(self.is_below(version), Reason::LessOrEqual),
            Operator::LessEqual => holds(self.is_not_below(version), Reason::Greater),
        }
    }

    /// `!=1.2` rules out each 1.2.x.
    fn differs(&self, version: &Version) -> bool {
        let wanted = &self.version;
        match self.open {
            Open::Minor => version.major() != wanted.major(),
            Open::Patch if (version.major(), version.minor()) != (wanted.major(), wanted.minor()) => true,
            Open::Patch => (version.is_prerelease() || wanted.is_prerelease()) && version.parts.pre != wanted.parts.pre,
            Open::None | Open::Major => version != wanted,
        }
    }

    /// `>1.2` starts at 1.3.0.
    fn is_below(&self, version: &Version) -> bool {
        let wanted = &self.version;
        match self.open {
            Open::None => version > wanted,
            _ if version.major() != wanted.major() => version.major() > wanted.major(),
            Open::Minor => false,
            Open::Patch => version.minor() > wanted.minor(),
            Open::Major => version > wanted,
        }
    }

    /// `<=1.2` includes each 1.2.x.
    fn is_not_below(&self, version: &Version) -> bool {
        let wanted = &self.version;
        match self.open {
            Open::None => version <= wanted,
            Open::Minor => version.major() <= wanted.major(),
            Open::Patch | Open::Major => (version.major(), version.minor()) <= (wanted.major(), wanted.minor()),
        }
    }

    fn check_tilde(&self, version: &Version) -> Result<(), Reason> {
        let wanted = &self.version;
        if version < wanted {
            return Err(Reason::Less);
        }
        let anything = (wanted.major(), wanted.minor(), wanted.patch()) == (0, 0, 0)
            && matches!(self.open, Open::None | Open::Major);
        if anything {
            Ok(())
        } else if version.major() != wanted.major() {
            Err(Reason::Major)
        } else if version.minor() != wanted.minor() && self.open != Open::Minor {
            Err(Reason::MajorAndMinor)
        } else {
            Ok(())
        }
    }

    fn check_caret(&self, version: &Version) -> Result<(), Reason> {
        let wanted = &self.version;
        let holds = |condition: bool, reason: Reason| if condition { Ok(()) } else { Err(reason) };
        if version < wanted {
            return Err(Reason::Less);
        }
        if wanted.major() > 0 || self.open == Open::Minor {
            return holds(version.major() == wanted.major(), Reason::Major);
        }
        if version.major() > 0 {
            return Err(Reason::Major);
        }
        if wanted.minor() > 0 || self.open == Open::Patch {
            return holds(version.minor() == wanted.minor(), Reason::MinorUnderZero);
        }
        if version.minor() > 0 {
            return Err(Reason::Minor);
        }
        holds(version.patch() == wanted.patch(), Reason::Patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_loosely() {
        for (text, normal) in [
            ("1.2.3", "1.2.3"),
            ("v1.2", "1.2.0"),
            ("1", "1.0.0"),
            ("01.02.003", "1.2.3"),
            ("v1.25.3-gke.100+b.01", "1.25.3-gke.100+b.01"),
            ("1-a", "1.0.0-a"),
            ("1+a", "1.0.0+a"),
            ("1.2.3--", "1.2.3--"),
        ] {
            let version = Version::parse(text).expect(text);
            assert_eq!(version.to_string(), normal, "{text}");
            assert_eq!(version.original(), text);
        }
        for (text, error) in [
            ("", "invalid semantic version"),
            (" 1.2.3", "invalid semantic version"),
            ("V1", "invalid semantic version"),
            ("1.2.3.4", "invalid semantic version"),
            ("1.2.3-", "invalid semantic version"),
            ("1.2.3-é", "invalid semantic version"),
            ("1.2.3-a..b", "invalid semantic version"),
            ("1.2.3-01", "version segment starts with 0"),
            (
                "1.99999999999999999999",
                "error parsing version segment: strconv.ParseUint: parsing \"99999999999999999999\": value out of range",
            ),
        ] {
            assert_eq!(Version::parse(text).expect_err(text).to_string(), error, "{text}");
        }
        assert_eq!(Version::parse(&"1".repeat(257)).unwrap_err(), Error::TooLong);
    }

    #[test]
    fn versions_are_read_strictly() {
        assert_eq!(Version::parse_strict("1.2.3-a.1+b").expect("valid").to_string(), "1.2.3-a.1+b");
        for (text, error) in [
            ("", Error::Empty),
            ("1.2", Error::Invalid),
            ("v1.2.3", Error::Characters),
            ("01.2.3", Error::LeadingZero),
            ("1.2.3-", Error::Prerelease),
            ("1.2.3-01", Error::LeadingZero),
            ("1.2.3-a_b", Error::Prerelease),
            ("1.2.3+", Error::Metadata),
            ("1.2.3+a_b", Error::Metadata),
            ("1.2.", Error::Invalid),
        ] {
            assert_eq!(Version::parse_strict(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn versions_are_ordered() {
        let ascending = [
            "0.9",
            "1.0.0-a",
            "1.0.0-a.1",
            "1.0.0-a.b",
            "1.0.0-b.2",
            "1.0.0-b.11",
            "1.0.0-rc",
            "1.0.0",
            "1.0.1",
            "1.1",
        ];
        for (low, high) in ascending.iter().zip(&ascending[1..]) {
            assert!(Version::parse(low).unwrap() < Version::parse(high).unwrap(), "{low} {high}");
        }
        assert_eq!(Version::parse("1.0+a").unwrap(), Version::parse("v1.0.0+b").unwrap());
    }

    fn matching(constraint: &str, versions: &[&str]) -> String {
        let constraint = Constraint::parse(constraint).expect(constraint);
        let matching = versions.iter().filter(|version| constraint.matches(&Version::parse(version).unwrap()));
        matching.copied().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn constraints_match() {
        let versions =
            ["0.0.3", "0.2.3", "0.3.0", "1.2.0", "1.2.3", "1.2.9", "1.3.0-rc.1", "1.3.0", "2.0.0", "2.1.0", "3.0.0"];
        for (constraint, expected) in [
            ("*", "0.0.3 0.2.3 0.3.0 1.2.0 1.2.3 1.2.9 1.3.0 2.0.0 2.1.0 3.0.0"),
            ("*-0", "0.0.3 0.2.3 0.3.0 1.2.0 1.2.3 1.2.9 1.3.0-rc.1 1.3.0 2.0.0 2.1.0 3.0.0"),
            ("1.2.3", "1.2.3"),
            ("v1.2.3", "1.2.3"),
            ("=1.2", "1.2.0 1.2.3 1.2.9"),
            ("1.2.x", "1.2.0 1.2.3 1.2.9"),
            ("1", "1.2.0 1.2.3 1.2.9 1.3.0"),
            ("!=1", "0.0.3 0.2.3 0.3.0 2.0.0 2.1.0 3.0.0"),
            ("!=1.2, <2", "0.0.3 0.2.3 0.3.0 1.3.0"),
            ("~1.2.3", "1.2.3 1.2.9"),
            ("~> 1.2", "1.2.0 1.2.3 1.2.9"),
            ("~1", "1.2.0 1.2.3 1.2.9 1.3.0"),
            ("^1.2.3", "1.2.3 1.2.9 1.3.0"),
            ("^0.2.3", "0.2.3"),
            ("^0.2", "0.2.3"),
            ("^0", "0.0.3 0.2.3 0.3.0"),
            ("^0.0.3", "0.0.3"),
            ("^0.0", "0.0.3"),
            (">1", "2.0.0 2.1.0 3.0.0"),
            (">1.2", "1.3.0 2.0.0 2.1.0 3.0.0"),
            (">=1.3.0-0 <3", "1.3.0-rc.1 1.3.0 2.0.0 2.1.0"),
            (">=1.3.0 <2.1", "1.3.0 2.0.0"),
            ("<=1", "0.0.3 0.2.3 0.3.0 1.2.0 1.2.3 1.2.9 1.3.0"),
            ("=<1.2", "0.0.3 0.2.3 0.3.0 1.2.0 1.2.3 1.2.9"),
            ("1.2 - 2", "1.2.0 1.2.3 1.2.9 1.3.0 2.0.0 2.1.0"),
            ("<1 || >=2.1", "0.0.3 0.2.3 0.3.0 2.1.0 3.0.0"),
            (">1.2.3,<2", "1.2.9 1.3.0"),
        ] {
            assert_eq!(matching(constraint, &versions), expected, "{constraint}");
        }
    }

    #[test]
    fn constraints_that_are_none_say_so() {
        for (text, error) in [
            ("", Error::Improper(String::new())),
            (">=1 ||", Error::Improper(String::new())),
            (">=a", Error::Improper(">=a".into())),
            ("1.2.3.4", Error::Improper("1.2.3.4".into())),
            ("> > 1", Error::Improper("> > 1".into())),
            ("1,", Error::Improper("1,".into())),
            ("1|2", Error::Constraint),
            ("1.2.3-01", Error::Constraint),
        ] {
            assert_eq!(Constraint::parse(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(Constraint::parse(&"1 ".repeat(257)).unwrap_err(), Error::ConstraintTooLong);
        assert_eq!(Constraint::parse(&["1"; 33].join("||")).unwrap_err(), Error::TooManyGroups);
    }

    #[test]
    fn validation_gives_the_reasons() {
        let reasons = |constraint: &str, version: &str| {
            Constraint::parse(constraint).unwrap().validate(&Version::parse(version).unwrap()).unwrap_err().join("; ")
        };
        assert_eq!(
            reasons(">=2 || <1.x", "v1.5"),
            r#""1.5.0" is less than "2"; "1.5.0" is greater than or equal to "1.x""#
        );
        assert_eq!(
            reasons(">1 || <1", "1.0.0-a"),
            r#""1.0.0-a" is a prerelease version and the constraint is only looking for release versions"#
        );
        assert!(Constraint::parse("~1.5").unwrap().validate(&Version::parse("1.5.2").unwrap()).is_ok());
        assert_eq!(Constraint::parse("1 - 2||~3,!=3.1").unwrap().to_string(), ">=1 <=2 || ~3 !=3.1");
    }
}
