//! The settings about the way to the server: proxies, certificates, addresses.

use std::fs;

use super::layers::Layers;
use crate::fetch::ProxyUrl;
use crate::mistake::Mistake;

/// The proxies to be used, with those of the environment if there are none; `None` for none at all: `-x ""`.
pub(super) fn build_proxies(layers: &mut Layers) -> Option<Vec<ProxyUrl>> {
    let mut proxies = Vec::new();
    let names = layers.strongest(&["proxy", "proxy-file"]);
    if names.contains(&"proxy") {
        let written = layers.strongest_list("proxy");
        if !written.is_empty() && written.iter().all(|written| written.text.trim().is_empty()) {
            return None;
        }
        for written in written {
            read_proxy(layers, &written.text, || written.place.to_string(), &mut proxies);
        }
    }
    if names.contains(&"proxy-file")
        && let (Some(path), Some(written)) = (layers.path("proxy-file"), layers.value("proxy-file"))
    {
        match fs::read_to_string(&path) {
            Ok(text) => {
                let lines = text.lines().enumerate();
                for (number, line) in
                    lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
                {
                    let place = || format!("{}:{}", path.display(), number + 1);
                    read_proxy(layers, line, place, &mut proxies);
                }
                if proxies.is_empty() && layers.mistakes.is_empty() {
                    layers.mistakes.push(Mistake::new(path.display().to_string(), "there is no proxy in it"));
                }
            }
            Err(error) => {
                let message = format!("cannot read {}: {error}", path.display());
                layers.mistakes.push(Mistake::new(written.place.to_string(), message));
            }
        }
    }
    Some(proxies)
}

/// A mistake does not repeat what was written, since it may hold a password.
fn read_proxy(layers: &mut Layers, text: &str, place: impl Fn() -> String, proxies: &mut Vec<ProxyUrl>) {
    match ProxyUrl::parse(text) {
        Ok(proxy) => proxies.push(proxy),
        Err(error) => {
            let hint = "like http://user:password@host:3128 or socks5h://host:1080";
            layers.mistakes.push(Mistake::new(place(), error.to_string()).with_hint(hint));
        }
    }
}
