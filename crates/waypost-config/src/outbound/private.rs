//! Which addresses are not on the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether an address is not on the public internet: it belongs to this machine, to the local network or to the
/// provider, such as the metadata service of a cloud, or it is reserved.
///
/// An IPv6 address that stands for an IPv4 address is what that one is. Source: the registries of special-purpose
/// addresses of IANA (RFC 6890), and RFC 4291 for multicast.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => is_private_4(address),
            None => is_private_6(address),
        },
    }
}

fn is_private_4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        // This network, private, shared by a provider, loopback.
        (0 | 10 | 127, _, _) | (100, 64..=127, _) => true,
        // Link-local, private, protocol assignments, documentation.
        (169, 254, _) | (172, 16..=31, _) | (192, 168, _) | (192, 0, 0 | 2) => true,
        // Benchmarks, documentation.
        (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => true,
        // Multicast, reserved, broadcast.
        (224.., _, _) => true,
        _ => false,
    }
}

fn is_private_6(address: Ipv6Addr) -> bool {
    // Only 2000::/3 is assigned to the public internet. Of that, 2001::/23 is for protocols, 2001:db8::/32 and 3fff::/20
    // are for documentation.
    match address.segments() {
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => true,
        [first, ..] => first & 0xe000 != 0x2000,
    }
}

/// Returns the IPv4 address that an IPv6 address stands for: mapped, compatible (RFC 4291), translated (RFC 6052) or by way of
/// 6to4 (RFC 3056); or `None` if it stands for itself.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(of(high, low))
        }
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for (address, expected) in [
            ("0.0.0.0", true),
            ("10.1.2.3", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("127.0.0.1", true),
            ("169.254.169.254", true),
            ("172.15.0.1", false),
            ("172.31.0.1", true),
            ("192.0.0.192", true),
            ("192.168.1.1", true),
            ("198.19.0.1", true),
            ("224.0.0.1", true),
            ("255.255.255.255", true),
            ("8.8.8.8", false),
            ("93.184.215.14", false),
            ("::", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("::ffff:8.8.8.8", false),
            ("::127.0.0.1", true),
            ("64:ff9b::a00:1", true),
            ("64:ff9b::808:808", false),
            ("64:ff9b:1::1", true),
            ("2002:7f00:1::1", true),
            ("2002:808:808::1", false),
            ("2001:db8::1", true),
            ("fc00::1", true),
            ("fd00:ec2::254", true),
            ("fe80::1", true),
            ("fec0::1", true),
            ("ff02::1", true),
            ("2606:4700:4700::1111", false),
            ("2a00:1450::1", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), expected, "{address}");
        }
    }
}
