//! String formats that Helm's schema library checks in every draft up to 7, where `jsonschema` knows them only in some.

use crate::version::Version;

type Check = fn(&str) -> bool;

/// Names and checks. What Helm does not know passes.
pub(super) const FORMATS: [(&str, Check); 7] = [
    ("semver", |text| Version::parse_strict(text).is_ok()),
    ("duration", is_duration),
    ("uuid", is_uuid),
    ("json-pointer", is_json_pointer),
    ("relative-json-pointer", is_relative_json_pointer),
    ("idn-email", |_| true),
    ("idn-hostname", |_| true),
];

/// ISO 8601 as in RFC 3339, appendix A: `P1Y2M3DT4H5M6S` with whole numbers, units in order, or `P7W`.
fn is_duration(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('P') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(weeks) = rest.strip_suffix('W') {
        return digits(weeks);
    }
    let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
    if rest.is_empty() || time.is_some_and(str::is_empty) {
        return false;
    }
    [(date, "YMD"), (time.unwrap_or_default(), "HMS")].into_iter().all(|(mut part, mut units)| {
        while !part.is_empty() {
            let end = part.find(|char: char| !char.is_ascii_digit()).unwrap_or(part.len());
            let Some(at) = part[end..].chars().next().and_then(|unit| units.find(unit)) else { return false };
            if end == 0 {
                return false;
            }
            part = &part[end + 1..];
            units = &units[at + 1..];
        }
        true
    })
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_json_pointer(text: &str) -> bool {
    let escapes_well = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.is_empty() || text.starts_with('/') && escapes_well
}

fn is_relative_json_pointer(text: &str) -> bool {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    !number.is_empty() && (number == "0" || !number.starts_with('0')) && (rest == "#" || is_json_pointer(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_accept_what_they_should() {
        let check = |name: &str| FORMATS.iter().find(|(known, _)| *known == name).expect("known").1;
        for (name, good, bad) in [
            (
                "duration",
                vec!["P1D", "PT5M", "P1Y2M3DT4H5M6S", "P3W", "PT36H"],
                vec!["", "P", "PT", "1h", "P1H", "PT1D", "P1D1Y", "P-1D", "P1WT1H"],
            ),
            ("uuid", vec!["2EB8AA08-aa98-11ea-b4aa-73b441d16380"], vec!["2eb8aa08-aa98-11ea-b4aa-73b441d1638", "g-"]),
            ("json-pointer", vec!["", "/a/b", "/a~0~1"], vec!["a", "/~", "/~2"]),
            ("relative-json-pointer", vec!["0", "1/a", "10#"], vec!["", "01", "-1/a", "1a"]),
            ("semver", vec!["1.2.3", "1.2.3-rc.1+b"], vec!["1", "v1.2.3", "1.02.3"]),
        ] {
            for text in good {
                assert!(check(name)(text), "{name} {text}");
            }
            for text in bad {
                assert!(!check(name)(text), "{name} {text}");
            }
        }
    }
}
