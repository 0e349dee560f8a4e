//! The release and the cluster that a render is for.

use super::args::given;
use super::flag_values::{self, Record};
use super::{Failed, Terminal};
use crate::diagnostic::{Failure, Sources};
use crate::fs;
use crate::render;
use crate::repository;
use crate::schema::{self, KubeVersion};
use crate::template::{Capabilities, Context, Limits, Release, Served};
use crate::yaml::{self, Node};
use clap::Args;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Flags on the release.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Release")]
pub struct ReleaseFlags {
    /// The release's namespace
    #[arg(short, long, value_name = "NAMESPACE", env = "HELM_NAMESPACE", hide_env = true, default_value = "default")]
    pub namespace: String,
    /// Render as an upgrade, not as an installation
    #[arg(long)]
    pub is_upgrade: bool,
    /// Name the release by this Go template
    #[arg(long, value_name = "TEMPLATE", default_value = "", hide_default_value = true)]
    pub name_template: String,
    #[arg(short, long, hide = true)]
    pub generate_name: bool,
    /// Make random functions repeatable: names, passwords, keys. `now` is SOURCE_DATE_EPOCH then, or the start of the year
    #[arg(long, value_name = "TEXT")]
    pub seed: Option<String>,
    /// Objects that `lookup` finds, as YAML files
    #[arg(long, value_name = "DIR")]
    pub lookup_dir: Option<PathBuf>,
    /// Let `getHostByName` ask the resolver
    #[arg(long)]
    pub enable_dns: bool,
}

/// Flags on the cluster.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterFlags {
    /// The Kubernetes version to render and check for
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
    /// API versions that the cluster has besides the usual ones: `monitoring.coreos.com/v1`
    #[arg(short, long, value_name = "API", value_parser = flag_values::record)]
    pub api_versions: Vec<Record>,
}

/// Flags of `helm template` that have no effect without a cluster, and ones of `helm` that only concern clusters.
/// They are accepted, so that scripts need no change.
#[derive(Debug, Default, Args)]
pub struct HelmFlags {
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    pub dry_run: Option<String>,
    #[arg(long, hide = true)]
    hide_notes: bool,
    #[arg(long, hide = true)]
    render_subchart_notes: bool,
    #[arg(long, hide = true)]
    skip_crds: bool,
    #[arg(long, hide = true)]
    create_namespace: bool,
    #[arg(long, hide = true, alias = "force")]
    force_replace: bool,
    #[arg(long, hide = true)]
    force_conflicts: bool,
    #[arg(long, hide = true)]
    server_side: bool,
    #[arg(long, hide = true)]
    replace: bool,
    #[arg(long, hide = true)]
    take_ownership: bool,
    #[arg(long, hide = true, alias = "atomic")]
    rollback_on_failure: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_parser = flag_values::wait)]
    wait: Option<Option<String>>,
    #[arg(long, hide = true)]
    wait_for_jobs: bool,
    #[arg(long, hide = true, value_parser = flag_values::duration)]
    timeout: Option<String>,
    #[arg(long, hide = true)]
    description: Option<String>,
    #[arg(short, long, hide = true, value_parser = flag_values::labels)]
    labels: Vec<String>,
    #[arg(long, hide = true)]
    kubeconfig: Option<String>,
    #[arg(long, hide = true)]
    kube_context: Option<String>,
    #[arg(long, hide = true)]
    kube_apiserver: Option<String>,
    #[arg(long, hide = true)]
    kube_token: Option<String>,
    #[arg(long, hide = true)]
    kube_ca_file: Option<String>,
    #[arg(long, hide = true)]
    kube_as_user: Option<String>,
    #[arg(long, hide = true)]
    kube_as_group: Vec<String>,
    #[arg(long, hide = true)]
    kube_insecure_skip_tls_verify: bool,
    #[arg(long, hide = true)]
    kube_tls_server_name: Option<String>,
    #[arg(long, hide = true, value_parser = flag_values::integer)]
    burst_limit: Option<String>,
    #[arg(long, hide = true, value_parser = flag_values::float)]
    qps: Option<String>,
}

impl HelmFlags {
    /// What asks for a cluster cannot be done.
    pub fn refuse(&self) -> Result<(), Failed> {
        match self.dry_run.as_deref() {
            None | Some("client" | "unset" | "1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(()),
            Some("server") => Err(Failed::Usage(
                "`--dry-run=server` needs a cluster, and `chart` talks to none".to_owned(),
                Some(
                    "give what the cluster knows with `--kube-version`, `--api-versions` and `--lookup-dir`".to_owned(),
                ),
            )),
            Some(other) => Err(Failed::Usage(
                format!("`--dry-run` is `client` or `server`, not `{other}`"),
                Some("leave it out".to_owned()),
            )),
        }
    }
}

impl ReleaseFlags {
    /// The release's name and the chart, from `[NAME] CHART`.
    pub fn name_and_chart(&self, names: &[String]) -> Result<(String, String), Failed> {
        let conflict = |flag| {
            let way_out = "give the name or the flag".to_owned();
            Failed::Usage(format!("cannot set --{flag} and also specify a name"), Some(way_out))
        };
        let (name, chart) = match names {
            [chart] if self.name_template.is_empty() => ("release-name".to_owned(), chart),
            [chart] => (self.templated_name()?, chart),
            [_, _] if self.generate_name => return Err(conflict("generate-name")),
            [_, _] if !self.name_template.is_empty() => return Err(conflict("name-template")),
            [name, chart] => (name.clone(), chart),
            [_, _, others @ ..] => {
                let others = others.join(", ");
                return Err(Failed::Usage(
                    format!("expected at most two arguments, unexpected arguments: {others}"),
                    Some("the arguments are `[NAME] CHART`".to_owned()),
                ));
            }
            [] => return Err(Failed::Usage("no chart is given".to_owned(), None)),
        };
        if !is_release_name(&name) {
            return Err(Failed::Usage(
                format!("the release name `{name}` is invalid"),
                Some(format!(
                    "a name has up to 53 of `a`-`z`, `0`-`9`, `-` and `.`, and starts and ends with a letter or digit, \
                     such as `{}`",
                    proposed(&name)
                )),
            ));
        }
        Ok((name, chart.clone()))
    }

    /// Evaluates `--name-template`, which sees functions but no data.
    fn templated_name(&self) -> Result<String, Failed> {
        let context = Context {
            release: self.release("release-name"),
            seed: self.seed(),
            now: self.now(),
            time_zone: self.time_zone(),
            ..Context::default()
        };
        let mut sources = Sources::default();
        render::evaluate(&self.name_template, "<--name-template>", context, &mut sources).map_err(|failure| {
            let reasons: Vec<String> = failure.into_iter().map(|finding| finding.message).collect();
            Failed::Usage(format!("`--name-template` fails: {}", reasons.join("; ")), None)
        })
    }

    /// All that a render depends on besides chart and values.
    pub fn context(&self, name: &str, cluster: &ClusterFlags, sources: &mut Sources) -> Result<Context, Stop> {
        Ok(Context {
            release: self.release(name),
            capabilities: cluster.capabilities()?,
            limits: Limits::default(),
            seed: self.seed(),
            now: self.now(),
            time_zone: self.time_zone(),
            lookup: match &self.lookup_dir {
                Some(directory) => objects(directory, sources)?,
                None => Vec::new(),
            },
            zone_file: Some(fs::zone_file),
            resolver: self.enable_dns.then_some(repository::http::addresses),
            record_reads: false,
        })
    }

    fn release(&self, name: &str) -> Release {
        Release {
            name: name.to_owned(),
            namespace: self.namespace().to_owned(),
            revision: 1,
            is_upgrade: self.is_upgrade,
            service: "Helm".to_owned(),
        }
    }

    /// The namespace; what is empty means the default one.
    pub fn namespace(&self) -> &str {
        if self.namespace.is_empty() { "default" } else { &self.namespace }
    }

    /// A whole number stands for itself, any other text for its digest.
    fn seed(&self) -> Option<u64> {
        let seed = self.seed.as_ref()?;
        Some(seed.parse().unwrap_or_else(|_| {
            Sha256::digest(seed)[..8].iter().fold(0, |number, &byte| (number << 8) | u64::from(byte))
        }))
    }

    /// A repeatable render does not depend on the machine's time zone either.
    fn time_zone(&self) -> Option<String> {
        let utc = || "UTC".to_owned();
        match std::env::var("TZ") {
            Ok(zone) if zone.is_empty() => Some(utc()),
            Ok(zone) => Some(zone),
            Err(_) => self.seed.is_some().then(utc),
        }
    }

    fn now(&self) -> i128 {
        const SECOND: i128 = 1_000_000_000;
        let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.trim().parse::<i64>().ok());
        match epoch {
            Some(epoch) => i128::from(epoch) * SECOND,
            None if self.seed.is_some() => {
                let year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).first_of_year();
                year.and_then(|day| day.start_of_day()).map_or(0, |start| start.timestamp().as_nanosecond())
            }
            None => jiff::Timestamp::now().as_nanosecond(),
        }
    }
}

impl ClusterFlags {
    pub fn capabilities(&self) -> Result<Capabilities, Failed> {
        let mut capabilities = match given(&self.kube_version) {
            None => Capabilities::default(),
            Some(version) => Capabilities::for_version(version).map_err(|error| {
                Failed::Usage(
                    format!("invalid kube version '{version}': {error}"),
                    Some("write it like `1.33` or `v1.33.4`".to_owned()),
                )
            })?,
        };
        let asked = given(&self.kube_version).and_then(|asked| KubeVersion::choose(asked));
        let version = asked.map_or_else(KubeVersion::newest, |chosen| chosen.version);
        let added: Vec<String> =
            self.api_versions.iter().flat_map(|given| given.iter()).filter(|it| !it.is_empty()).cloned().collect();
        capabilities.api_versions.extend(added.iter().cloned().map(Cow::Owned));
        capabilities.served = Served::new(move || schema::api_versions(version).into_iter().chain(added).collect());
        Ok(capabilities)
    }

    /// What manifests are checked against: the schemas of the version, or of the nearest one that is embedded.
    pub fn schemas(&self, namespace: &str, terminal: &mut Terminal) -> schema::Options {
        let defaults = schema::Options { namespace: namespace.to_owned(), ..schema::Options::default() };
        let chosen = given(&self.kube_version).and_then(|asked| KubeVersion::choose(asked));
        let Some(chosen) = chosen else { return defaults };
        if !chosen.exact {
            let (oldest, newest) = (KubeVersion::oldest(), KubeVersion::newest());
            terminal.say(format!(
                "note: there are schemas for Kubernetes {oldest} to {newest}: checking against {}",
                chosen.version
            ));
        }
        schema::Options { versions: vec![chosen.version], ..defaults }
    }
}

/// Why a command stops early.
#[derive(Debug)]
pub enum Stop {
    Failed(Failed),
    /// Something in the user's files.
    Found(Failure),
}

impl<E: Into<Failed>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Failed(error.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Found(failure)
    }
}

/// The objects in the YAML files of a directory, whatever its depth.
fn objects(directory: &Path, sources: &mut Sources) -> Result<Vec<Node>, Stop> {
    let mut objects = Vec::new();
    for (name, path, is_dir) in fs::list(directory)? {
        if is_dir {
            objects.extend(self::objects(&path, sources)?);
        } else if [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending)) {
            let file = sources.add(path.to_string_lossy(), fs::read_text(&path)?);
            let parsed = yaml::read(&sources.shared_text(file), file).complete()?;
            objects.extend(parsed.into_iter().filter(|node| !node.is_null()));
        }
    }
    Ok(objects)
}

/// Dot-separated labels of lower-case letters, digits and inner hyphens, 53 characters in all.
fn is_release_name(name: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 53
        && name.split('.').all(|label| {
            label.bytes().all(|byte| is_alphanumeric(byte) || byte == b'-')
                && label.bytes().next().is_some_and(is_alphanumeric)
                && label.bytes().last().is_some_and(is_alphanumeric)
        })
}

/// The nearest valid name.
fn proposed(name: &str) -> String {
    let lower: String = name
        .to_lowercase()
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() { char } else { '-' })
        .take(53)
        .collect();
    let trimmed = lower.trim_matches('-');
    if trimmed.is_empty() { "web".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_names_are_held_to_helms_rule() {
        for (name, valid) in [
            ("web", true),
            ("a.b-c.9", true),
            ("Bad_Name", false),
            ("-a", false),
            ("a-", false),
            ("a..b", false),
            ("", false),
            (&"a".repeat(53), true),
            (&"a".repeat(54), false),
        ] {
            assert_eq!(is_release_name(name), valid, "{name}");
        }
        assert_eq!(proposed("Bad_Name"), "bad-name");
        assert_eq!(proposed("__"), "web");
    }
}
