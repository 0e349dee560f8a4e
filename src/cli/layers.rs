//! The user's values, from the flags.

use super::args::ValuesFlags;
use super::release::Stop;
use super::{Failed, Terminal, remote};
use crate::chart::Chart;
use crate::diagnostic::Sources;
use crate::fs;
use crate::repository::{http, shown};
use crate::value::text_from_bytes;
use crate::values::{Choice, Flag, Layer, Layered, Layout};
use std::io::Read;
use std::path::{Path, PathBuf};

impl ValuesFlags {
    /// The layers, with the texts of their files.
    pub fn layers(&self, terminal: &mut Terminal) -> Result<Vec<Layer>, Failed> {
        let mut layers = Vec::new();
        for name in self.files.iter().flat_map(|given| given.iter()) {
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

    /// Reads and merges every layer: first those that the chart's layout has for what is chosen.
    pub fn read(
        &self,
        chart: &Chart,
        release: &str,
        sources: &mut Sources,
        terminal: &mut Terminal,
    ) -> Result<Layered, Stop> {
        let mut layers = match self.choice()? {
            choice if choice.is_empty() => Vec::new(),
            choice => laid_out(&choice, chart, release, sources)?,
        };
        layers.extend(self.layers(terminal)?);
        Ok(Layered::read(layers, sources, &mut read_file)?)
    }

    /// What the flags choose among the layers of `chart.toml`.
    pub fn choice(&self) -> Result<Choice, Failed> {
        let mut choice = Choice::new();
        for (name, value) in [("env", &self.env), ("region", &self.region), ("service", &self.service)] {
            choice.extend(value.iter().map(|value| (name.to_owned(), value.clone())));
        }
        for text in &self.choose {
            let Some((name, value)) = text.split_once('=') else {
                let way_out = "write it like `--choose cluster=blue`".to_owned();
                return Err(Failed::Usage(format!("`--choose {text}` has no `=`"), Some(way_out)));
            };
            choice.insert(name.to_owned(), value.to_owned());
        }
        Ok(choice)
    }
}

/// The values files that a chart's layout has for a choice.
pub(super) fn laid_out(
    choice: &Choice,
    chart: &Chart,
    release: &str,
    sources: &mut Sources,
) -> Result<Vec<Layer>, Stop> {
    let Some(layout) = Layout::find(Path::new(&*chart.location), sources)? else {
        let message = format!("there is no chart.toml for `{}` that says which values files these are", chart.location);
        let way_out = "name the files with `-f`, or write a chart.toml next to the chart or above it".to_owned();
        return Err(Failed::Usage(message, Some(way_out)).into());
    };
    let files = layout.files(choice, &chart.metadata.name, release)?;
    let layer = |path: PathBuf| {
        let text = fs::read_text(&path)?.into();
        Ok(Layer::File { name: path.to_string_lossy().into_owned(), text })
    };
    Ok(files.into_iter().map(layer).collect::<Result<_, Failed>>()?)
}

/// Reads a file, or stdin as `-`, for `--set-file`: keystores and images are values, too, for `b64enc`.
pub(super) fn read_file(path: &str) -> Result<String, String> {
    let bytes = match path.trim() {
        "-" => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map_err(|error| format!("failed to read stdin: {error}"))?;
            bytes
        }
        _ => fs::read(Path::new(path)).map_err(|error| error.to_string())?,
    };
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| text_from_bytes(error.as_bytes()).into_owned()))
}

/// The same for what is written into a YAML file, which has to be text.
pub(super) fn read_text(path: &str) -> Result<String, String> {
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
