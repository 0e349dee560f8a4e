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
    InvalidProject "invalid-project" Deny "A `chart.toml` cannot be read."
    InvalidChart "invalid-chart" Deny "The chart's own files are not a chart: Chart.yaml, dependencies, archives."
    UnknownChartField "unknown-chart-field" Warn "A field of Chart.yaml that means nothing to Helm or to us."
    YamlSyntax "yaml-syntax" Deny "The text is not YAML."
    DuplicateKey "duplicate-key" Deny "A mapping has the same key twice."
    InvalidValues "invalid-values" Deny "A values file or `--set` argument cannot be read."
    InvalidLayout "invalid-layout" Deny "A chart.toml cannot be read, or names a values file that is missing."
    OverriddenType "overridden-type" Warn "A value replaces a mapping, or a mapping a value: what was there is lost."
    DependencyCondition "dependency-condition" Warn "A dependency's condition, tag or import has no effect."
    UnknownValue "unknown-value" Warn "A value that neither defaults, schema nor any template knows: misspelt, or at the wrong level."
    UnusedValue "unused-value" Note "A value that no template reads."
    UnsafeEdit "unsafe-edit" Deny "A values file cannot be edited in place so that it reads back as asked."
    ValuesSchema "values-schema" Deny "The values do not satisfy the chart's values.schema.json."
    RemoteReference "remote-reference" Deny "A schema refers to a server, which is not asked."
    TemplateSyntax "template-syntax" Deny "A template does not parse."
    TemplateError "template-error" Deny "A template failed while it rendered."
    UndefinedValue "undefined-value" Deny "A template uses a name that is not defined."
    InvalidManifest "invalid-manifest" Deny "A rendered document is not a Kubernetes object."
    MissingSchema "missing-schema" Deny "There is no schema for the object's kind, so it was not checked."
    RejectedKind "rejected-kind" Deny "The command line forbids objects of this kind."
    UnknownKind "unknown-kind" Deny "Kubernetes has no such kind in this API version."
    RemovedApi "removed-api" Deny "The API version is gone in the Kubernetes version that is checked for."
    UnavailableApi "unavailable-api" Deny "The API version comes with a later Kubernetes than the one that is checked for."
    DeprecatedApi "deprecated-api" Warn "The API version is deprecated, or gone in a later Kubernetes."
    UnknownField "unknown-field" Deny "The object's kind has no such field."
    MissingField "missing-field" Deny "A required field is missing or empty."
    TypeMismatch "type-mismatch" Deny "A value is of another type than its field."
    InvalidValue "invalid-value" Deny "A value is not one of those that its field allows."
    InvalidFormat "invalid-format" Deny "A text is not in the format that its field asks for."
    InvalidQuantity "invalid-quantity" Deny "An amount of resources is not in the quantity grammar."
    OutOfRange "out-of-range" Deny "A number or length is past the limits of its field."
    TooLarge "too-large" Deny "Data or annotations are larger than the API server takes."
    InvalidName "invalid-name" Deny "A name is not in the grammar of its field."
    InvalidLabel "invalid-label" Deny "A label's key or value is not in the grammar of labels."
    InvalidAnnotation "invalid-annotation" Deny "An annotation's key is not in the grammar of annotations."
    InvalidPort "invalid-port" Deny "A port is not a number from 1 to 65535, or not in the grammar of port names."
    InvalidPercent "invalid-percent" Deny "An amount is neither a number nor a percentage."
    InvalidImage "invalid-image" Deny "An image is not in the grammar of image references."
    InvalidEnv "invalid-env" Deny "The name of an environment variable is not valid."
    InvalidCron "invalid-cron" Deny "A schedule is not in the cron grammar."
    InvalidRoleRef "invalid-role-ref" Deny "A binding refers to what it cannot bind."
    UnknownResource "unknown-resource" Deny "A container or claim cannot ask for a resource of this name."
    OddQuantity "odd-quantity" Warn "An amount of resources is valid, but hardly meant."
    RequestAboveLimit "request-above-limit" Deny "A container requests more of a resource than its limit."
    ConflictingFields "conflicting-fields" Deny "Fields are set that rule each other out."
    SelectorMismatch "selector-mismatch" Deny "A workload's selector does not select the pods of its own template."
    UnknownVolume "unknown-volume" Deny "A container mounts a volume that its pod does not have."
    UnknownPort "unknown-port" Warn "A port is named that nothing has."
    InvalidDefinition "invalid-definition" Deny "A custom resource definition is not one that the API server takes."
    CustomRule "custom-rule" Deny "A custom resource breaks a rule of its definition."
    UncheckedRule "unchecked-rule" Note "A rule of a custom resource definition could not be checked."
    DanglingReference "dangling-reference" Warn "An object refers to another that is not there."
    DuplicateObject "duplicate-object" Deny "Two objects have the same kind, namespace and name."
    DuplicateItem "duplicate-item" Deny "A list has two entries with the key that must be unique."
    ShadowedItem "shadowed-item" Warn "A list has two entries with the same key, and only the last one counts."
    LimitExceeded "limit-exceeded" Deny "A template or file went past a limit on steps, depth or size."
}
