//! Switches with a value, `--include-crds=true`, as Go's flag libraries take them and scripts for Helm write them.

use clap::{ArgAction, Command};
use std::ffi::OsString;

/// The arguments with `--switch=true` as `--switch`, and without `--switch=false`.
pub(super) fn plain(arguments: impl Iterator<Item = OsString>, command: impl FnOnce() -> Command) -> Vec<OsString> {
    let arguments: Vec<OsString> = arguments.collect();
    if !arguments.iter().any(|argument| valued(argument).is_some()) {
        return arguments;
    }
    let root = command();
    let called =
        arguments.iter().skip(1).filter_map(|argument| argument.to_str()).find_map(|name| root.find_subcommand(name));
    let is_switch = |name: &str| {
        let own = called.into_iter().flat_map(Command::get_arguments);
        root.get_arguments().chain(own).any(|argument| {
            matches!(argument.get_action(), ArgAction::SetTrue)
                && (argument.get_long() == Some(name)
                    || argument.get_all_aliases().is_some_and(|it| it.contains(&name)))
        })
    };
    let mut plain = Vec::with_capacity(arguments.len());
    for argument in &arguments {
        match valued(argument) {
            Some((name, on)) if is_switch(name) => {
                // The last one counts: a user's `=false` behind what a script gives.
                let switch = OsString::from(format!("--{name}"));
                plain.retain(|earlier| *earlier != switch);
                plain.extend(on.then_some(switch));
            }
            _ => plain.push(argument.clone()),
        }
    }
    plain
}

/// The name and value of `--name=BOOL`, in Go's spellings.
fn valued(argument: &OsString) -> Option<(&str, bool)> {
    let (name, value) = argument.to_str()?.strip_prefix("--")?.split_once('=')?;
    let on = match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
        "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
        _ => return None,
    };
    Some((name, on))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Arg;

    #[test]
    fn only_switches_of_the_command_lose_their_value() {
        let command = || {
            let switch = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
            let render = Command::new("render").arg(switch("no-hooks")).arg(Arg::new("set").long("set"));
            Command::new("chart").arg(switch("quiet")).subcommand(render)
        };
        let given = ["chart", "render", "--no-hooks=true", "--quiet=F", "--set=true", "--other=false", "x=true"];
        let plain = plain(given.iter().map(OsString::from), command);
        assert_eq!(plain, ["chart", "render", "--no-hooks", "--set=true", "--other=false", "x=true"]);
    }

    #[test]
    fn the_last_value_of_a_switch_counts() {
        let command = || {
            let switch = Arg::new("no-hooks").long("no-hooks").action(ArgAction::SetTrue);
            Command::new("chart").subcommand(Command::new("render").arg(switch))
        };
        for (given, expected) in [
            ("chart render --no-hooks x --no-hooks=false", "chart render x"),
            ("chart render --no-hooks=false x --no-hooks", "chart render x --no-hooks"),
            ("chart render --no-hooks --no-hooks=0 --no-hooks=1", "chart render --no-hooks"),
        ] {
            assert_eq!(plain(given.split(' ').map(OsString::from), command).join(" ".as_ref()), expected);
        }
    }
}
