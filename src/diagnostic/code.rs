//! The codes of all findings, with their default levels. `docs/findings.md` explains each.

use super::Severity;

/// What becomes of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Allow,
    Note,
    Warn,
    Deny,
}

impl Level {
    /// The severity that this level gives; `None` drops the finding.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Level::Allow => None,
            Level::Note => Some(Severity::Note),
            Level::Warn => Some(Severity::Warning),
            Level::Deny => Some(Severity::Error),
        }
    }
}

macro_rules! codes {
    ($($variant:ident $name:literal $level:ident $about:literal)*) => {
        /// The kind of a finding, with a stable kebab-case name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $about] $variant),* }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $name),* }
            }

            /// One sentence on what the finding means.
            pub fn about(self) -> &'static str {
                match self { $(Code::$variant => $about),* }
            }

            pub fn default_level(self) -> Level {
                match self { $(Code::$variant => Level::$level),* }
            }

            /// The code of this name.
            pub fn from_name(name: &str) -> Option<Code> {
                match name { $($name => Some(Code::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    Io "io" Deny "A file or server could not be reached."
    Usage "usage" Deny "The command line asks for something that cannot be done."
    InvalidChart "invalid-chart" Deny "The chart's own files are not a chart: Chart.yaml, dependencies, archives."
    YamlSyntax "yaml-syntax" Deny "The text is not YAML."
    DuplicateKey "duplicate-key" Deny "A mapping has the same key twice."
    InvalidValues "invalid-values" Deny "A values file or `--set` argument cannot be read."
    ValuesSchema "values-schema" Deny "The values do not satisfy the chart's values.schema.json."
    TemplateSyntax "template-syntax" Deny "A template does not parse."
    TemplateError "template-error" Deny "A template failed while it rendered."
    UndefinedValue "undefined-value" Deny "A template uses a name that is not defined."
    InvalidManifest "invalid-manifest" Deny "A rendered document is not a Kubernetes object."
    LimitExceeded "limit-exceeded" Deny "A template or file went past a limit on steps, depth or size."
}
