//! Values in layers: chart defaults, parents' overrides, `-f` files and `--set` arguments, merged as Helm merges
//! them, with every leaf still knowing the file and line it came from.

mod coalesce;
pub mod derive;
mod difference;
mod edit;
pub mod handwritten;
mod json;
mod layers;
mod layout;
mod listing;
mod lists;
mod mentions;
pub mod notes;
mod origins;
mod release;
mod set;
mod table;
mod tree;
mod unused;

pub use difference::{Difference, differences};
pub use edit::{Assignments, Edited, edit};
pub use layers::{Layer, Layered};
pub use layout::{Choice, Layout};
pub use listing::{Line, lines, short, yaml};
pub use mentions::{actions_with, mentioned};
pub use origins::{History, Setter, Source, is_generated};
pub use release::{Resolved, resolve};
pub use set::{Flag, ReadFile};
pub use tree::{Tree, Unit, UnitId};
pub use unused::Usage;
