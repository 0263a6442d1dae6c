//! Flag over environment over file over default: which value holds, and every mistake found on the way.

use std::path::PathBuf;
use std::time::Duration;

use super::values;
use crate::mistake::{Mistake, Slip};
use crate::model::without_userinfo;
use crate::settings;
use crate::written::{Layer, Place, Written};

/// The layers from the strongest to the weakest, and the mistakes so far.
#[derive(Debug)]
pub(super) struct Layers {
    layers: Vec<Layer>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Layers {
    pub(super) fn new(layers: Vec<Layer>, mistakes: Vec<Mistake>) -> Layers {
        Layers { layers: layers.into_iter().map(said).collect(), mistakes }
    }

    /// The value that holds, if it was written anywhere or has a default.
    pub(super) fn value(&self, name: &str) -> Option<Written> {
        let written = self.layers.iter().find_map(|layer| layer.get(name)?.last().cloned());
        written.or_else(|| {
            let setting = settings::find(name).expect("settings are named in their table");
            let text = setting.default?.to_owned();
            Some(Written { text, place: Place::Default(setting.name) })
        })
    }

    /// The values of a list from the weakest layer to the strongest; who merges them by name lets later ones win.
    pub(super) fn list(&self, name: &str) -> Vec<Written> {
        self.layers.iter().rev().filter_map(|layer| layer.get(name)).flatten().cloned().collect()
    }

    /// The values of a list that stronger layers replace as a whole.
    pub(super) fn strongest_list(&self, name: &str) -> Vec<Written> {
        self.layers.iter().find_map(|layer| layer.get(name).cloned()).unwrap_or_default()
    }

    /// Reports a slip at its place in the text, of which a password in a URL is not shown.
    pub(super) fn report(&mut self, written: &Written, slip: Slip) {
        let (text, at) = without_userinfo(&written.text, slip.at);
        self.mistakes.push(Mistake::from_slip(written.place.to_string(), &text, Slip { at, ..slip }));
    }

    /// Reports a slip in what should be a URL: without a scheme, nothing says where a password in it ends.
    pub(super) fn report_url(&mut self, written: &Written, slip: Slip) {
        match !written.text.contains("://") && written.text.contains('@') {
            true => self.report_hidden(written, slip),
            false => self.report(written, slip),
        }
    }

    /// Reports a slip in a text that may be a secret: without the text.
    pub(super) fn report_hidden(&mut self, written: &Written, slip: Slip) {
        let mut mistake = Mistake::new(written.place.to_string(), slip.message);
        mistake.hint = slip.hint;
        self.mistakes.push(mistake);
    }

    /// The value, read by `parse`; a slip is reported without the text, which may be a secret.
    pub(super) fn read_hidden<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Slip>,
    ) -> Option<T> {
        let written = self.value(name)?;
        parse(&written.text).map_err(|slip| self.report_hidden(&written, slip)).ok()
    }

    /// The value, read by `parse`; a slip is reported and counts as not written.
    pub(super) fn read<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, Slip>) -> Option<T> {
        let written = self.value(name)?;
        match parse(&written.text) {
            Ok(value) => Some(value),
            Err(slip) => {
                self.report(&written, slip);
                None
            }
        }
    }

    pub(super) fn count(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        self.read(name, |text| values::parse_count(text, least, most))
    }

    /// A duration; zero only where `zero_is_fine`, since a limit of no time would refuse everything.
    pub(super) fn duration(&mut self, name: &str, zero_is_fine: bool) -> Option<Duration> {
        self.read(name, |text| match values::parse_duration(text)? {
            Duration::ZERO if !zero_is_fine => {
                Err(Slip::new(0, "a limit of no time would end every page").with_hint("like 30s"))
            }
            duration => Ok(duration),
        })
    }

    pub(super) fn size(&mut self, name: &str) -> Option<u64> {
        self.read(name, values::parse_size)
    }

    pub(super) fn switch(&mut self, name: &str) -> bool {
        self.read(name, values::parse_switch).unwrap_or(false)
    }

    /// Runs `build` with one more layer on top, which holds for it only.
    pub(super) fn with_strongest<T>(&mut self, layer: Layer, build: impl FnOnce(&mut Layers) -> T) -> T {
        self.layers.insert(0, said(layer));
        let built = build(self);
        self.layers.remove(0);
        built
    }

    /// What was written for a switch that has a second place in the rule; `None` if nothing was.
    pub(super) fn written_switch(&mut self, name: &str) -> Option<bool> {
        let is_written = self.layers.iter().any(|layer| layer.contains_key(name));
        is_written.then(|| self.switch(name))
    }

    pub(super) fn path(&mut self, name: &str) -> Option<PathBuf> {
        self.read(name, |text| match text {
            "" => Err(Slip::new(0, "a file name is wanted")),
            path => Ok(PathBuf::from(path)),
        })
    }

    /// The strongest layer in which any of `names` is written, with the name: for settings that exclude each other.
    pub(super) fn strongest<'n>(&self, names: &[&'n str]) -> Vec<&'n str> {
        let written_in =
            |layer: &Layer| names.iter().copied().filter(|name| layer.contains_key(name)).collect();
        self.layers.iter().map(written_in).find(|found: &Vec<&str>| !found.is_empty()).unwrap_or_default()
    }
}

/// What a layer says: a list without entries is not said, be it `data = []` or an empty variable. So it neither stands
/// for an empty body, nor takes the place of what a weaker layer says.
fn said(mut layer: Layer) -> Layer {
    layer.retain(|_, written| !written.is_empty());
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &'static str, texts: &[&str]) -> Layer {
        let written = |text: &&str| Written { text: (*text).to_owned(), place: Place::Flag(name) };
        Layer::from([(name, texts.iter().map(written).collect())])
    }

    #[test]
    fn the_strongest_layer_wins_and_the_default_is_last() {
        let layers = Layers::new(vec![Layer::new(), layer("jobs", &["3"]), layer("jobs", &["5"])], vec![]);
        assert_eq!(layers.value("jobs").unwrap().text, "3");
        assert_eq!(layers.value("retry").unwrap().text, "2");
        assert_eq!(layers.value("charset"), None);
    }

    #[test]
    fn an_empty_list_is_not_said() {
        let layers = Layers::new(vec![layer("data", &[]), layer("data", &["a=1"])], vec![]);
        assert_eq!(layers.strongest_list("data")[0].text, "a=1");
        let layers = Layers::new(vec![layer("data", &[]), layer("json", &["{}"])], vec![]);
        assert_eq!(layers.strongest(&["data", "json"]), ["json"]);
    }

    #[test]
    fn lists_go_from_weak_to_strong() {
        let layers =
            Layers::new(vec![layer("header", &["C: 3"]), layer("header", &["A: 1", "B: 2"])], vec![]);
        let texts: Vec<String> = layers.list("header").into_iter().map(|w| w.text).collect();
        assert_eq!(texts, ["A: 1", "B: 2", "C: 3"]);
    }

    #[test]
    fn every_slip_is_kept() {
        let mut layers = Layers::new(vec![layer("jobs", &["0"]), layer("timeout", &["x"])], vec![]);
        assert_eq!(layers.count("jobs", 1, 9), None);
        assert_eq!(layers.duration("timeout", false), None);
        assert_eq!(layers.mistakes.len(), 2);
        assert!(layers.mistakes[0].to_string().starts_with("--jobs: 0 is out of range"));
    }
}
