//! The command line: parse, run, print, exit code. The only module that prints, reads the environment or exits.
//!
//! Each command is a file with its own arguments (a clap `Args` struct) and a `run` that returns an [`Exit`];
//! `args.rs` holds the groups of flags that commands share, `output.rs` writes.

mod args;
mod check;
mod create;
mod deferred;
mod dependency;
mod derived;
mod discover;
mod docs;
mod flag_values;
mod index;
mod layers;
mod log;
mod login;
mod output;
mod package;
mod post_renderer;
mod project;
mod pull;
mod push;
mod release;
mod remote;
mod render;
mod schema;
mod schemas;
mod set;
mod show;
mod source;
mod switches;
mod validate;
mod values;
mod verify;
mod versions;

pub use output::{Failed, Stream, Terminal};

use clap::{CommandFactory, Parser, Subcommand};
use deferred::Deferred;
use std::process::ExitCode;

/// How a command ended, as a process exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0
    Success,
    /// 1: findings, or a render that failed: something in the user's files.
    Findings,
    /// 2: wrong usage, or the environment failed: a file, a server, a tool.
    Environment,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Success => 0,
            Exit::Findings => 1,
            Exit::Environment => 2,
        })
    }
}

/// Render, validate, package and publish Kubernetes charts.
#[derive(Debug, Parser)]
#[command(name = "chart", version, max_term_width = 110, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    global: args::Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render a chart's manifests and check them
    #[command(visible_alias = "template")]
    Render(Deferred<render::Render>),
    /// Pack charts into archives: same chart, same bytes
    Package(Deferred<package::PackageArgs>),
    /// Publish archives or charts to a repository
    Push(Deferred<push::Push>),
    /// Check charts: render each with its defaults and with each `ci/*-values.yaml`, and validate the manifests
    ///
    /// A path is a chart, a directory of charts, or a file. A file stands for the chart that it is in, and for the charts
    /// of the repository that depend on that one.
    #[command(visible_alias = "lint")]
    Check(Deferred<check::Check>),
    /// Start a chart that renders, validates and passes its own checks
    Create(Deferred<create::Create>),
    /// Show what a chart says about itself
    #[command(alias = "inspect")]
    Show(Deferred<show::Show>),
    /// Fetch archives from repositories
    Pull(Deferred<pull::Pull>),
    /// Fetch and list a chart's dependencies
    #[command(visible_alias = "dep")]
    Dependency(Deferred<dependency::DependencyArgs>),
    /// Make or check the index.yaml of a directory of archives
    Index(Deferred<index::IndexArgs>),
    /// List the versions of a chart in a repository
    Versions(Deferred<versions::Versions>),
    /// Keep credentials for an OCI registry
    Login(Deferred<login::Login>),
    /// Forget the credentials for an OCI registry
    Logout(Deferred<login::Logout>),
    /// Check that an archive is signed and unchanged
    Verify(Deferred<verify::Verify>),
    /// Derive values.schema.json from values.yaml, its comments and the templates, and hold every layer of values
    /// against it
    ///
    /// A schema that is there and was not derived is kept, and only gets what it lacks. In a derived one, parts whose
    /// `$comment` is `hand-written` are kept.
    Schema(Deferred<schema::Schema>),
    /// Write the READMEs of charts from their values, comments and schemas
    ///
    /// The page is what `README.md.gotmpl` (as for helm-docs) or `README.md.j2` in the chart gives. Without a template, the
    /// parts of README.md between `<!-- chart docs: begin -->` and `<!-- chart docs: end -->` are written anew; a README
    /// that is missing, or was derived before, is written as a whole.
    Docs(Deferred<docs::Docs>),
    #[command(hide = true, about = "Make the embedded Kubernetes schemas")]
    Schemas(schemas::Schemas),
    /// Check manifests against the Kubernetes schemas
    Validate(Deferred<validate::Validate>),
    /// Show the values that a chart is rendered with, and where they come from
    Values(Deferred<values::Values>),
    /// Set values in a values file, and leave all else in it as it is
    ///
    /// Comments, order, quotes and blank lines stay, and only the lines change that must. The file is written whole or not at
    /// all, and only if it reads back as asked.
    ///
    /// The paths are those of `--set`: `image.tag=v2`, `ports[0].name=web`, `hosts={a,b}`, `annotations.a\\.b/c=x`. A value
    /// keeps its type where its text allows: in the place of a string, `42` and `true` are strings. `path=null` removes.
    Set(Deferred<set::Set>),
}

/// Runs the command that the process arguments ask for.
pub fn main() -> ExitCode {
    let arguments = validate::translate(std::env::args_os());
    let cli = match Cli::try_parse_from(switches::plain(arguments.into_iter(), described)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are data, on stdout, and success; the rest is usage.
            let code = if error.use_stderr() { Exit::Environment } else { Exit::Success };
            let _ = error.print();
            return code.into();
        }
    };
    let mut terminal = Terminal::new(&cli.global);
    log::start(terminal.verbose, terminal.quiet);
    let result = run(cli.command, &mut terminal);
    match result {
        Ok(exit) => exit.into(),
        Err(failed) => terminal.fail(&failed).into(),
    }
}

/// The command line with the arguments of every command.
fn described() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

fn run(command: Command, terminal: &mut Terminal) -> Result<Exit, Failed> {
    match command {
        Command::Render(arguments) => render::run(&arguments, terminal),
        Command::Package(arguments) => package::run(&arguments, terminal),
        Command::Push(arguments) => push::run(&arguments, terminal),
        Command::Check(arguments) => check::run(&arguments, terminal),
        Command::Create(arguments) => create::run(&arguments, terminal),
        Command::Show(arguments) => show::run(&arguments, terminal),
        Command::Pull(arguments) => pull::run(&arguments, terminal),
        Command::Dependency(arguments) => dependency::run(&arguments, terminal),
        Command::Index(arguments) => index::run(&arguments, terminal),
        Command::Versions(arguments) => versions::run(&arguments, terminal),
        Command::Login(arguments) => login::login(&arguments, terminal),
        Command::Logout(arguments) => login::logout(&arguments, terminal),
        Command::Verify(arguments) => verify::run(&arguments, terminal),
        Command::Schema(arguments) => schema::run(&arguments, terminal),
        Command::Docs(arguments) => docs::run(&arguments, terminal),
        Command::Schemas(arguments) => schemas::run(&arguments, terminal),
        Command::Validate(arguments) => validate::run(&arguments, terminal),
        Command::Values(arguments) => values::run(&arguments, terminal),
        Command::Set(arguments) => set::run(&arguments, terminal),
    }
}
