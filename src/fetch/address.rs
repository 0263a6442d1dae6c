//! Addresses that the user gives to hosts: `HOST:PORT:ADDRESS`.

use std::net::IpAddr;

use url::Host;

use crate::mistake::Slip;

const HINT: &str = "like example.com:443:192.0.2.7, with * for all hosts or ports and [..] around IPv6";

/// The addresses of a host and port, of all ports, or of all hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenAddress {
    /// As in a URL; `None` for all.
    host: Option<String>,
    /// `None` for all.
    port: Option<u16>,
    addresses: Vec<IpAddr>,
}

impl GivenAddress {
    /// Reads what curl's `--resolve` reads: `HOST:PORT:ADDRESS[,ADDRESS]`, with `*` for any host or any port.
    ///
    /// # Errors
    ///
    /// A [`Slip`] at the part that is none.
    pub fn parse(text: &str) -> Result<GivenAddress, Slip> {
        let slip = |at: usize, message: &str| Slip::new(at, message).with_hint(HINT);
        let host_end = match text.strip_prefix('[').and_then(|rest| rest.find(']')) {
            Some(end) => end + 2,
            None => text.find(':').unwrap_or(text.len()),
        };
        let host = match &text[..host_end] {
            "" => return Err(slip(0, "no host")),
            "*" => None,
            host => Some(Host::parse(host).map_err(|err| slip(0, &err.to_string()))?.to_string()),
        };
        let rest = text[host_end..].strip_prefix(':').ok_or_else(|| slip(host_end, "no port"))?;
        let port_at = host_end + 1;
        let (port, list) = rest.split_once(':').ok_or_else(|| slip(text.len(), "no address"))?;
        let mut at = port_at + port.len() + 1;
        let port = match port {
            "*" => None,
            port => Some(port.parse().map_err(|_| slip(port_at, "this is not a port"))?),
        };
        let mut addresses = Vec::new();
        for part in list.split(',') {
            let bare = part.strip_prefix('[').and_then(|part| part.strip_suffix(']')).unwrap_or(part);
            addresses.push(bare.parse().map_err(|_| slip(at, "this is not an address"))?);
            at += part.len() + 1;
        }
        Ok(GivenAddress { host, port, addresses })
    }

    /// Whether the host is `*`.
    pub(super) fn is_for_all_hosts(&self) -> bool {
        self.host.is_none()
    }

    /// Its addresses, if they are for this host, written as in a URL, and this port.
    pub(super) fn of(&self, host: &str, port: u16) -> Option<&[IpAddr]> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_host = self
            .host
            .as_deref()
            .map(|own| own.strip_suffix('.').unwrap_or(own))
            .is_none_or(|own| own.eq_ignore_ascii_case(host));
        (is_host && self.port.is_none_or(|own| own == port)).then_some(&*self.addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_ports_and_addresses_are_read_as_curl_reads_them() {
        let given = GivenAddress::parse("Example.com:443:192.0.2.7,[2001:db8::1],::1").unwrap();
        let addresses: Vec<IpAddr> =
            ["192.0.2.7", "2001:db8::1", "::1"].map(|text| text.parse().unwrap()).into();
        assert_eq!(given.of("example.com", 443), Some(&*addresses));
        assert_eq!(given.of("example.com.", 443), Some(&*addresses), "the same host");
        assert_eq!(given.of("example.com", 80), None);
        assert_eq!(given.of("www.example.com", 443), None);
        let any_port = GivenAddress::parse("[::1]:*:127.0.0.1").unwrap();
        assert!(any_port.of("[::1]", 1).is_some() && any_port.of("h", 1).is_none());
        let any_host = GivenAddress::parse("*:80:127.0.0.1").unwrap();
        assert!(any_host.of("h", 80).is_some() && any_host.of("h", 81).is_none());
    }

    #[test]
    fn the_caret_stands_at_the_part_that_is_wrong() {
        for (text, at) in [
            ("", 0),
            ("h", 1),
            ("h:80", 4),
            ("h:http:1.2.3.4", 2),
            ("h:80:", 5),
            ("h:80:1.2.3.4,x", 13),
            ("a b:80:1.2.3.4", 0),
        ] {
            assert_eq!(GivenAddress::parse(text).unwrap_err().at, at, "{text}");
        }
    }
}
