//! Which addresses and names are not of the open internet.
//!
//! A page may say anything about where to go next, and an address that answers here may be a database, a printer or
//! the machine's own cloud account. Pure functions; who may go there all the same is decided in [`dial`](super::dial).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is loopback, private, link-local, shared, multicast, reserved, or a way to write such an IPv4
/// address as IPv6 (IANA special-purpose registries, RFC 6890). The networks for documentation lead nowhere and are
/// not counted.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        // This network (RFC 1122), private use (RFC 1918), loopback.
        [0 | 10 | 127, ..] | [192, 168, ..] => true,
        [172, second, ..] => (16..32).contains(&second),
        // Shared by carriers (RFC 6598); link-local with the metadata of clouds (RFC 3927).
        [100, second, ..] => (64..128).contains(&second),
        [169, 254, ..] => true,
        // Protocol assignments (RFC 6890), benchmarks (RFC 2544).
        [192, 0, 0, _] | [198, 18 | 19, ..] => true,
        // Multicast, reserved, broadcast.
        [224..=255, ..] => true,
        _ => false,
    }
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let embedded =
        |high: u16, low: u16| is_private_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        // Unspecified and loopback are among the IPv4-compatible (RFC 4291 2.5.5.1), mapped (2.5.5.2), translated
        // (RFC 2765).
        [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        // NAT64 (RFC 6052) and 6to4 (RFC 3056).
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => embedded(high, low),
        // NAT64 of one's own network (RFC 8215).
        [0x64, 0xff9b, 1, ..] => true,
        // Teredo (RFC 4380): the client's address with all bits turned.
        [0x2001, 0, .., high, low] => embedded(!high, !low),
        // Unique local, link-local, site-local, multicast.
        [first, ..] if first & 0xfe00 == 0xfc00 => true,
        [first, ..] if matches!(first & 0xffc0, 0xfe80 | 0xfec0) => true,
        [first, ..] if first >= 0xff00 => true,
        // ISATAP (RFC 5214 6.1).
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => embedded(high, low),
        _ => false,
    }
}

/// Whether a name cannot be one of the open internet: without a dot in it, the machine itself (RFC 6761), a private
/// domain (RFC 6762 G, RFC 8375), the metadata service of a cloud. Only of use where a proxy looks the name up; anywhere
/// else its addresses say it better.
pub(super) fn is_private_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let Some((front, last)) = name.rsplit_once('.') else { return true };
    let is_private =
        ["localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan"];
    is_private.contains(&last) || last == "arpa" && (front == "home" || front.ends_with(".home"))
}

#[cfg(test)]
mod tests {
    use url::{Host, Url};

    use super::*;

    /// Whether a URL with this host is refused before or at the connection; `None` if it has addresses to be looked up.
    fn is_refused(host: &str) -> Option<bool> {
        match Url::parse(&format!("http://{host}/")) {
            Err(_) => Some(true),
            Ok(url) => match url.host()? {
                Host::Ipv4(address) => Some(is_private(address.into())),
                Host::Ipv6(address) => Some(is_private(address.into())),
                Host::Domain(_) => None,
            },
        }
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        for host in [
            // Loopback: dotted, short, decimal, octal, hexadecimal, mixed, with a trailing dot, in full-width digits.
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "017700000001",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "0x7F.0x0.0x0.0x1",
            "127.0.0.1.",
            "127.255.255.254",
            "１２７.0.0.1",
            "127%2e0%2e0%2e1",
            // This network.
            "0",
            "0.0.0.0",
            "0.1.2.3",
            // Private use.
            "10.0.0.1",
            "10.1",
            "012.0.0.1",
            "167772161",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "0xc0a80101",
            "192.168.257",
            // Shared, link-local, metadata of clouds.
            "100.64.0.1",
            "100.127.255.255",
            "169.254.0.1",
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "100.100.100.200",
            "192.0.0.192",
            // Multicast, reserved, broadcast, benchmarks.
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            // IPv6 of its own.
            "[::]",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[fe80::1]",
            "[febf::1]",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "[fec0::1]",
            "[ff02::1]",
            // IPv4 inside of IPv6.
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:10.0.0.1]",
            "[::ffff:0:10.0.0.1]",
            "[64:ff9b::169.254.169.254]",
            "[64:ff9b:1::8.8.8.8]",
            "[2002:7f00:1::]",
            "[2002:c0a8:101::1]",
            "[2001:0:5ef5:79fd:0:0:f5ff:fffe]",
            "[2a00::5efe:10.0.0.1]",
            // No address at all.
            "127.0.0.256",
            "[127.0.0.1]",
        ] {
            assert_eq!(is_refused(host), Some(true), "{host}");
        }
    }

    #[test]
    fn addresses_of_the_open_internet_pass() {
        for host in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "[2606:4700::1111]",
            "[2001:4860:4860::8888]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::8.8.8.8]",
            "[2002:808:808::1]",
            "[2001:0:5ef5:79fd:0:0:f7f7:f7f7]",
            "[fbff::1]",
        ] {
            assert_eq!(is_refused(host), Some(false), "{host}");
        }
    }

    #[test]
    fn names_that_only_mean_something_here_are_known() {
        for name in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "localhost.localdomain",
            "metadata.google.internal",
            "metadata.google.internal.",
            "metadata",
            "instance-data",
            "printer.local",
            "nas.home.arpa",
            "ip6-localhost",
            "intranet",
            "WIKI.",
            "router.lan",
            "nas.home",
            "mail.corp",
            "home.arpa",
        ] {
            assert!(is_private_name(name), "{name}");
        }
        for name in [
            "example.com",
            "localhost.example.com",
            "internal.example.com",
            "local.de",
            "lan.de.",
            "abcdef.onion",
            "in-addr.arpa",
        ] {
            assert!(!is_private_name(name), "{name}");
        }
    }
}
