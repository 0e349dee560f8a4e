//! The schedules of cron jobs, in the grammar of the Go library that the controller uses: five fields, names of
//! months and weekdays, `@daily` and the like.

/// What is wrong with a schedule, and the part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    pub hint: Option<String>,
}

struct Unit {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const UNITS: [Unit; 5] = [
    Unit { name: "minute", least: 0, most: 59, names: &[] },
    Unit { name: "hour", least: 0, most: 23, names: &[] },
    Unit { name: "day of month", least: 1, most: 31, names: &[] },
    Unit {
        name: "month",
        least: 1,
        most: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Unit { name: "day of week", least: 0, most: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const DESCRIPTORS: &[&str] = &["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// What is wrong with a schedule.
pub fn fault(schedule: &str) -> Option<Fault> {
    let schedule = schedule.trim();
    let told = |message: String, hint: &str| Some(Fault { message, hint: (!hint.is_empty()).then(|| hint.to_owned()) });
    if schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=") {
        return told("it must not set a time zone".into(), "set the field `timeZone`");
    }
    if let Some(duration) = schedule.strip_prefix("@every ") {
        return match super::duration::parse(duration.trim()) {
            Some(_) => None,
            None => told(format!("`{}` is no duration", duration.trim()), "write it as `1h30m`"),
        };
    }
    if schedule.starts_with('@') {
        return match DESCRIPTORS.contains(&schedule) {
            true => None,
            false => told(
                format!("`{schedule}` is not known"),
                &format!("known are {} and `@every 1h`", DESCRIPTORS.join(", ")),
            ),
        };
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != 5 {
        let hint = if fields.len() == 6 { "there are no seconds, and no year" } else { "" };
        return told(
            format!("it has {} fields, not 5: minute, hour, day of month, month, day of week", fields.len()),
            hint,
        );
    }
    fields.iter().zip(&UNITS).find_map(|(field, unit)| {
        field.split(',').find_map(|part| unit.fault(part)).map(|message| Fault {
            message,
            hint: Some(format!(
                "the {} is {} to {}, `*`, a range `a-b`, a step `*/n` or a list",
                unit.name, unit.least, unit.most
            )),
        })
    })
}

impl Unit {
    fn fault(&self, part: &str) -> Option<String> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        if let Some(step) = step
            && !step.parse::<u32>().is_ok_and(|step| step > 0)
        {
            return Some(format!("`{step}` is no step of the {}", self.name));
        }
        if matches!(range, "*" | "?") {
            return None;
        }
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let (from_number, to_number) = (self.number(from), self.number(to));
        match (from_number, to_number) {
            (None, _) => Some(format!("`{from}` is no {}", self.name)),
            (_, None) => Some(format!("`{to}` is no {}", self.name)),
            (Some(first), Some(last)) if first > last => {
                Some(format!("the range `{range}` of the {} runs backwards", self.name))
            }
            _ => None,
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        if let Some(at) = self.names.iter().position(|name| *name == lower) {
            return Some(at as u32 + self.least);
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten()?;
        (self.least..=self.most).contains(&number).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_that_the_controller_takes() {
        for schedule in [
            "* * * * *",
            "*/15 0-6 1,15 jan-MAR mon",
            "0 0 ? * 6",
            "@daily",
            "@every 1h30m",
            "5/10 * * * *",
            "  0 3 * * 0 ",
        ] {
            assert_eq!(fault(schedule), None, "{schedule}");
        }
    }

    #[test]
    fn schedules_that_it_refuses() {
        for (schedule, message) in [
            ("* * * *", "it has 4 fields, not 5: minute, hour, day of month, month, day of week"),
            ("0 * * * * *", "it has 6 fields, not 5: minute, hour, day of month, month, day of week"),
            ("60 * * * *", "`60` is no minute"),
            ("* 24 * * *", "`24` is no hour"),
            ("* * 0 * *", "`0` is no day of month"),
            ("* * * foo *", "`foo` is no month"),
            ("* * * * 7", "`7` is no day of week"),
            ("*/0 * * * *", "`0` is no step of the minute"),
            ("10-5 * * * *", "the range `10-5` of the minute runs backwards"),
            ("1,,2 * * * *", "`` is no minute"),
            ("@daly", "`@daly` is not known"),
            ("TZ=UTC 0 0 * * *", "it must not set a time zone"),
            ("@every soon", "`soon` is no duration"),
        ] {
            assert_eq!(fault(schedule).map(|it| it.message).as_deref(), Some(message), "{schedule}");
        }
    }
}
