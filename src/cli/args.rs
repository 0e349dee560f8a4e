//! Flags that several commands share.

use clap::{Args, ValueEnum};

/// Flags of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Say more on stderr: what is read, rendered, fetched (twice for details)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print nothing on stderr but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colour messages
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}
