//! What happens on the way, on stderr: warnings always, more with `-v`.

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

/// Starts logging for the process. Only our own words are let through: libraries may log headers and URLs with secrets.
pub(super) fn start(verbose: u8, quiet: bool) {
    let level = match verbose {
        _ if quiet => Level::ERROR,
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let layer = fmt::layer().with_writer(std::io::stderr).without_time().with_target(false).with_ansi(false);
    let filter = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let _ = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}
