//! Where a chart comes from.

use super::release::Stop;
use crate::chart::{self, Chart};
use crate::diagnostic::Sources;
use std::path::Path;

/// Loads the chart that the user names.
pub(super) fn load(reference: &str, sources: &mut Sources) -> Result<Chart, Stop> {
    Ok(chart::load(Path::new(reference), sources)?)
}
