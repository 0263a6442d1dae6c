//! The settings about the way to the server: proxies, certificates, addresses.

use std::fs;

use super::layers::Layers;
use crate::fetch::{Authorities, CertificateError, Family, GivenAddress, Identity, ProxyUrl};
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

/// The addresses given by hand, those of the strongest layer first.
pub(super) fn build_addresses(layers: &mut Layers) -> Vec<GivenAddress> {
    let mut addresses = Vec::new();
    for written in layers.list("resolve").into_iter().rev() {
        match GivenAddress::parse(&written.text) {
            Ok(address) => addresses.push(address),
            Err(slip) => layers.report(&written, slip),
        }
    }
    addresses
}

/// The one family of addresses, if both are not wanted; a stronger layer replaces a weaker.
pub(super) fn build_family(layers: &mut Layers) -> Option<Family> {
    let strongest = layers.strongest(&["ipv4", "ipv6"]);
    let mut is_on = |name| strongest.contains(&name) && layers.switch(name);
    match (is_on("ipv4"), is_on("ipv6")) {
        (true, false) => Some(Family::V4),
        (false, true) => Some(Family::V6),
        (false, false) => None,
        (true, true) => {
            let hint = "without either, both kinds of addresses are used";
            layers.mistakes.push(Mistake::new("--ipv4", "cannot go with --ipv6").with_hint(hint));
            None
        }
    }
}

/// The files about TLS; a mistake if one cannot be used.
pub(super) fn build_authorities(layers: &mut Layers) -> Option<Authorities> {
    let pem = read_file(layers, "cacert")?;
    Authorities::from_pem(pem).map_err(|error| report_file(layers, "cacert", &error.to_string())).ok()
}

/// The certificate and its key, which may be in the same file, as for curl.
pub(super) fn build_identity(layers: &mut Layers) -> Option<Identity> {
    if layers.value("cert").is_none() {
        if layers.value("key").is_some() {
            report_file(layers, "key", "a key is of no use without --cert");
        }
        return None;
    }
    let chain = read_file(layers, "cert")?;
    let key_name = if layers.value("key").is_some() { "key" } else { "cert" };
    let key = read_file(layers, key_name)?;
    Identity::from_pem(chain, key)
        .map_err(|error| {
            let is_of_key = matches!(error, CertificateError::NoKey | CertificateError::WrongKey(_));
            report_file(layers, if is_of_key { key_name } else { "cert" }, &error.to_string());
        })
        .ok()
}

fn read_file(layers: &mut Layers, name: &str) -> Option<Vec<u8>> {
    let path = layers.path(name)?;
    fs::read(&path).map_err(|error| report_file(layers, name, &format!("cannot read it: {error}"))).ok()
}

fn report_file(layers: &mut Layers, name: &str, message: &str) {
    if let Some(written) = layers.value(name) {
        let place = written.place.to_string();
        layers.mistakes.push(Mistake::new(place, format!("{}: {message}", written.text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::written::{Layer, Place, Written};

    fn layer(settings: &[(&'static str, &[&str])], place: &Place) -> Layer {
        let written = |text: &&str| Written { text: (*text).to_owned(), place: place.clone() };
        settings.iter().map(|(name, texts)| (*name, texts.iter().map(written).collect())).collect()
    }

    fn layers(flags: &[(&'static str, &[&str])], file: &[(&'static str, &[&str])]) -> Layers {
        let (flag, variable) = (Place::Flag("flag"), Place::Variable("VARIABLE".to_owned()));
        Layers::new(vec![layer(flags, &flag), layer(file, &variable)], Vec::new())
    }

    fn shown(layers: &mut Layers) -> Option<Vec<String>> {
        build_proxies(layers).map(|proxies| proxies.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn proxies_of_a_stronger_layer_replace_those_of_a_weaker() {
        let file: &[(&str, &[&str])] = &[("proxy", &["a:1", "b:2"]), ("proxy-file", &["/nowhere"])];
        assert_eq!(shown(&mut layers(&[("proxy", &["c:3"])], file)), Some(vec!["http://c:3".into()]));
        assert_eq!(shown(&mut layers(&[("proxy", &[""])], file)), None, "none at all");
        assert_eq!(shown(&mut layers(&[], &[("proxy", &[])])), Some(vec![]), "those of the environment");
        let mut broken = layers(&[], file);
        assert_eq!(shown(&mut broken).map(|proxies| proxies.len()), Some(2));
        assert!(broken.mistakes[0].to_string().contains("cannot read /nowhere"));
    }

    #[test]
    fn a_family_of_a_stronger_layer_replaces_that_of_a_weaker() {
        let on: &[&str] = &["true"];
        assert_eq!(build_family(&mut layers(&[("ipv6", on)], &[("ipv4", on)])), Some(Family::V6));
        assert_eq!(build_family(&mut layers(&[("ipv4", &["false"])], &[])), None);
        let mut both = layers(&[("ipv4", on), ("ipv6", on)], &[]);
        assert_eq!((build_family(&mut both), both.mistakes.len()), (None, 1));
    }

    #[test]
    fn addresses_of_a_stronger_layer_come_first() {
        let given =
            build_addresses(&mut layers(&[("resolve", &["h:1:1.1.1.1"])], &[("resolve", &["h:1:2.2.2.2"])]));
        assert_eq!(given[0], GivenAddress::parse("h:1:1.1.1.1").unwrap());
    }
}
