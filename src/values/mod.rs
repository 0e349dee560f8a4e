//! Values in layers: chart defaults, parents' overrides, `-f` files and `--set` arguments, merged as Helm merges
//! them, with every leaf still knowing the file and line it came from.
