//! `chart create`: starts a chart from one of those that ship with this program.

use super::{Exit, Failed, Terminal};
use crate::fs;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Create {
    /// The chart's name, or a path that ends in it
    #[arg(value_name = "NAME")]
    path: PathBuf,
    /// The language of the templates
    #[arg(long, value_name = "DIALECT", default_value = "jinja")]
    dialect: Dialect,
    /// What the chart runs
    #[arg(long, value_name = "KIND", default_value = "service")]
    from: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dialect {
    /// Jinja, with interpolation that knows YAML
    Jinja,
    /// Helm's Go templates
    Helm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A microservice: Deployment, Service and what belongs to them
    Service,
    /// A job on a schedule
    Cronjob,
}

/// A chart that ships: its name and its files.
struct Starter {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! starter {
    ($name:literal: $($path:literal)*) => {
        Starter { name: $name, files: &[$(($path, include_str!(concat!("../../charts/", $name, "/", $path)))),*] }
    };
}

const SERVICE: Starter = starter!("service":
    ".helmignore"
    "Chart.yaml"
    "chart.toml"
    "ci/autoscaling-values.yaml"
    "ci/bare-values.yaml"
    "ci/config-values.yaml"
    "ci/gateway-rules-values.yaml"
    "ci/gateway-values.yaml"
    "ci/ingress-values.yaml"
    "ci/observability-values.yaml"
    "ci/pods-values.yaml"
    "environments/production-sg.yaml"
    "environments/production.yaml"
    "environments/staging.yaml"
    "templates/NOTES.txt.j2"
    "templates/_helpers.j2"
    "templates/autoscaler.yaml.j2"
    "templates/configmap.yaml.j2"
    "templates/deployment.yaml.j2"
    "templates/disruptionbudget.yaml.j2"
    "templates/httproute.yaml.j2"
    "templates/ingress.yaml.j2"
    "templates/networkpolicy.yaml.j2"
    "templates/service.yaml.j2"
    "templates/serviceaccount.yaml.j2"
    "values.schema.json"
    "values.yaml"
);

const CRONJOB: Starter = starter!("cronjob":
    ".helmignore"
    "Chart.yaml"
    "ci/all-values.yaml"
    "ci/bare-values.yaml"
    "environments/production.yaml"
    "environments/staging.yaml"
    "templates/NOTES.txt.j2"
    "templates/_helpers.j2"
    "templates/cronjob.yaml.j2"
    "templates/networkpolicy.yaml.j2"
    "templates/serviceaccount.yaml.j2"
    "values.schema.json"
    "values.yaml"
);

const SERVICE_HELM: Starter = starter!("service-helm":
    ".helmignore"
    "Chart.yaml"
    "ci/all-values.yaml"
    "ci/bare-values.yaml"
    "templates/NOTES.txt"
    "templates/_helpers.tpl"
    "templates/autoscaler.yaml"
    "templates/deployment.yaml"
    "templates/disruptionbudget.yaml"
    "templates/ingress.yaml"
    "templates/networkpolicy.yaml"
    "templates/service.yaml"
    "templates/serviceaccount.yaml"
    "values.schema.json"
    "values.yaml"
);

pub fn run(arguments: &Create, terminal: &mut Terminal) -> Result<Exit, Failed> {
    let starter = match (arguments.from, arguments.dialect) {
        (Kind::Service, Dialect::Jinja) => SERVICE,
        (Kind::Service, Dialect::Helm) => SERVICE_HELM,
        (Kind::Cronjob, Dialect::Jinja) => CRONJOB,
        (Kind::Cronjob, Dialect::Helm) => {
            return Err(Failed::Usage(
                "there is no cronjob chart in Helm's language".to_owned(),
                Some("take `--dialect jinja`, or `--from service`".to_owned()),
            ));
        }
    };
    let name = name(&arguments.path)?;
    let path = &arguments.path;
    if fs::exists(path) && !(fs::is_dir(path) && fs::list(path)?.is_empty()) {
        return Err(Failed::Usage(
            format!("`{}` is there already", path.display()),
            Some("choose another name, or remove it".to_owned()),
        ));
    }
    for (file, text) in starter.files {
        let target = path.join(file);
        fs::create_dir_all(target.parent().unwrap_or(path))?;
        fs::write(&target, starter.renamed(file, text, name).as_bytes())?;
    }
    let shown = path.display();
    terminal.say(format!("created {shown}"));
    terminal.say(format!("try `chart render {shown}` and `chart check {shown}`"));
    Ok(Exit::Success)
}

impl Starter {
    /// A file's text for a chart of another name. Jinja charts say their name in Chart.yaml only; named Go templates
    /// are called after the chart, because all charts of a release share them.
    fn renamed(&self, file: &str, text: &str, name: &str) -> String {
        if file == "Chart.yaml" {
            text.replacen(&format!("\nname: {}\n", self.name), &format!("\nname: {name}\n"), 1)
        } else {
            text.replace(&format!("\"{}.", self.name), &format!("\"{name}."))
        }
    }
}

/// The chart's name, which becomes a part of the names of its objects.
fn name(path: &Path) -> Result<&str, Failed> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let valid = name.len() <= 53
        && name.bytes().all(|byte| is_alphanumeric(&byte) || byte == b'-')
        && name.as_bytes().first().is_some_and(is_alphanumeric)
        && name.as_bytes().last().is_some_and(is_alphanumeric);
    if valid {
        return Ok(name);
    }
    Err(Failed::Usage(
        format!("`{name}` cannot be a chart's name"),
        Some("a name has up to 53 of `a`-`z`, `0`-`9` and `-`, and starts and ends with a letter or digit".to_owned()),
    ))
}
