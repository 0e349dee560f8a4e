//! Durations as Go writes them: `1h30m`, `300ms`.

/// Seconds of a duration.
pub fn parse(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned == "0" {
        return Some(0.0);
    }
    let mut seconds = 0.0;
    let mut rest = unsigned;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        if !number.bytes().any(|byte| byte.is_ascii_digit()) || number.bytes().filter(|&byte| byte == b'.').count() > 1
        {
            return None;
        }
        let unit = tail.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let factor = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += format!("0{number}").parse::<f64>().ok()? * factor;
        rest = tail;
    }
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        for (text, seconds) in
            [("0", 0.0), ("1h30m", 5400.0), ("1.5h", 5400.0), ("300ms", 0.3), ("-2s", -2.0), (".5s", 0.5)]
        {
            assert!(parse(text).is_some_and(|found| (found - seconds).abs() < 1e-9), "{text}");
        }
        for text in ["", "1", "h", "1d", "1h 30m", "1.2.3s", ".s", "-"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
