//! `chart create` and the charts that ship.
