//! The user's values, from the flags.

use super::args::ValuesFlags;
use super::release::Stop;
use super::{Failed, Terminal, remote};
use crate::diagnostic::Sources;
use crate::fs;
use crate::repository::{http, shown};
use crate::values::{Flag, Layer, Layered};
use std::io::Read;
use std::path::Path;

impl ValuesFlags {
    /// The layers, with the texts of their files.
    pub fn layers(&self, terminal: &mut Terminal) -> Result<Vec<Layer>, Failed> {
        let mut layers = Vec::new();
        for name in &self.files {
            layers.push(file(name, terminal)?);
        }
        let arguments = [
            (Flag::SetJson, &self.set_json),
            (Flag::Set, &self.set),
            (Flag::SetString, &self.set_string),
            (Flag::SetFile, &self.set_file),
            (Flag::SetLiteral, &self.set_literal),
        ];
        for (flag, texts) in arguments {
            layers.extend(texts.iter().map(|text| Layer::Argument { flag, text: text.clone() }));
        }
        Ok(layers)
    }

    /// Reads and merges every layer.
    pub fn read(&self, sources: &mut Sources, terminal: &mut Terminal) -> Result<Layered, Stop> {
        Ok(Layered::read(self.layers(terminal)?, sources, &mut read_file)?)
    }
}

/// Reads a file for `--set-file`.
pub(super) fn read_file(path: &str) -> Result<String, String> {
    fs::read_text(Path::new(path)).map_err(|error| error.to_string())
}

fn file(name: &str, _terminal: &mut Terminal) -> Result<Layer, Failed> {
    if name == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| Failed::Other(format!("failed to read values from stdin: {error}")))?;
        return Ok(Layer::File { name: "<stdin>".to_owned(), text: text.into() });
    }
    if name.starts_with("https://") || name.starts_with("http://") {
        let bytes = http::get(name, 16 << 20, remote::anonymous())?;
        let name = shown(&http::parse_url(name)?);
        let text = String::from_utf8(bytes).map_err(|_| Failed::Other(format!("`{name}` is not UTF-8 text")))?;
        return Ok(Layer::File { name, text: text.into() });
    }
    Ok(Layer::File { name: name.to_owned(), text: fs::read_text(Path::new(name))?.into() })
}
