//! What the job says about the pace at hosts, and about their robots.txt.

use std::time::Duration;

use super::layers::Layers;
use super::values::parse_duration;
use crate::config::WrittenHost;
use crate::frontier::{HostPace, HostPattern, PacePolicy, ThrottleMode, ThrottlePolicy};
use crate::mistake::Slip;

/// More requests to one host at once than this is a slip of the finger, not a plan.
const MOST_PER_HOST: u64 = 4096;

/// The pace at all hosts, with the `[host."NAME"]` tables of the job file; `None` after a mistake.
pub(super) fn build(layers: &mut Layers, hosts: Vec<WrittenHost>) -> Option<PacePolicy> {
    let usual = build_host(layers);
    let per_ip = layers.count("per-ip", 1, MOST_PER_HOST).and_then(|count| u32::try_from(count).ok());
    let mut own = Vec::new();
    for host in hosts {
        let pattern = read_pattern(&host.name.text).map_err(|slip| layers.report(&host.name, slip)).ok();
        let pace = layers.with_strongest(host.layer, build_host);
        own.extend(pattern.zip(pace));
    }
    Some(PacePolicy { usual: usual?, own, per_ip })
}

fn build_host(layers: &mut Layers) -> Option<HostPace> {
    let per_host = layers.count("per-host", 1, MOST_PER_HOST);
    let delay = layers.duration("wait", true);
    let jitter = layers.read("jitter", parse_share);
    let interval = match layers.value("rate") {
        Some(_) => layers.read("rate", parse_rate),
        None => Some(Duration::ZERO),
    };
    let max_pause = layers.duration("max-pause", true);
    let start_delay = layers.duration("throttle-start-delay", true);
    let max_delay = layers.duration("throttle-max-delay", true);
    let target_concurrency = layers.read("throttle-target", parse_target);
    let mode = layers.read("throttle", |text| match text {
        "adaptive" => Ok(ThrottleMode::Adaptive),
        "off" => Ok(ThrottleMode::Off),
        // What it needs may have a mistake of its own.
        "autothrottle" => Ok(ThrottleMode::AutoThrottle {
            start_delay: start_delay.unwrap_or_default(),
            max_delay: max_delay.unwrap_or_default(),
            target_concurrency: target_concurrency.unwrap_or(1.0),
        }),
        _ => Err(Slip::new(0, "unknown throttle").with_hint("adaptive, autothrottle or off")),
    });
    let obeys_robots = !layers.switch("no-robots");
    let throttle = ThrottlePolicy {
        mode: mode?,
        per_host: u32::try_from(per_host?).ok()?,
        delay: delay?,
        max_pause: max_pause?,
    };
    Some(HostPace { throttle, jitter: jitter?, interval: interval?, obeys_robots })
}

/// `example.com`, or `*.example.com` for all names below it.
fn read_pattern(text: &str) -> Result<HostPattern, Slip> {
    let hint = "like [host.\"example.com\"], or [host.\"*.example.com\"] for all names below it";
    let name = text.strip_prefix("*.").unwrap_or(text);
    if let Some(at) = name.find(['/', ':', '@', ' ', '*']).filter(|_| !name.starts_with('[')) {
        let at = text.len() - name.len() + at;
        return Err(Slip::new(at, "a host is a name without scheme, port and path").with_hint(hint));
    }
    // As the URL standard writes hosts: in small letters, other scripts in Punycode.
    // A dot at the end only says that the name is whole.
    match url::Host::parse(name.strip_suffix('.').unwrap_or(name)) {
        Ok(host) if text.starts_with("*.") => Ok(HostPattern(format!("*.{host}"))),
        Ok(host) => Ok(HostPattern(host.to_string())),
        Err(error) => Err(Slip::new(0, error.to_string()).with_hint(hint)),
    }
}

/// `5/s`, `100/m`, `1000/h`: the time between two requests. A bare number is per second.
fn parse_rate(text: &str) -> Result<Duration, Slip> {
    let hint = "like 5/s, 100/m or 1000/h";
    let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
    let period = match unit.trim() {
        "s" | "sec" | "second" => 1.0,
        "m" | "min" | "minute" => 60.0,
        "h" | "hour" => 3600.0,
        "d" | "day" => 86_400.0,
        other => {
            // `10/30s` and the like.
            let at = number.len() + 1;
            match parse_duration(other) {
                Ok(period) if !other.is_empty() && !period.is_zero() => period.as_secs_f64(),
                _ => return Err(Slip::new(at, "unknown unit of time").with_hint(hint)),
            }
        }
    };
    match number.trim().parse::<f64>() {
        Ok(count) if count > 0.0 && count.is_finite() && period / count < 1e9 => {
            Ok(Duration::from_secs_f64(period / count))
        }
        _ => Err(Slip::new(0, "a rate is a number of requests in a time").with_hint(hint)),
    }
}

fn parse_share(text: &str) -> Result<f64, Slip> {
    match text.trim().parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(Slip::new(0, "a number from 0 to 1 is wanted")
            .with_hint("0.5 waits half to one and a half times as long")),
    }
}

fn parse_target(text: &str) -> Result<f64, Slip> {
    match text.trim().parse::<f64>() {
        Ok(target) if target > 0.0 && target <= 4096.0 => Ok(target),
        _ => {
            Err(Slip::new(0, "a number above 0 is wanted")
                .with_hint("1.0 has one request in flight on average"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_in_a_time() {
        let millis = |text| parse_rate(text).map(|gap| gap.as_millis()).ok();
        assert_eq!(millis("5/s"), Some(200));
        assert_eq!(millis("100/m"), Some(600));
        assert_eq!(millis("0.5/s"), Some(2000));
        assert_eq!(millis("3600/h"), Some(1000));
        assert_eq!(millis("4"), Some(250));
        assert_eq!(millis("10/30s"), Some(3000));
        for wrong in ["", "0/s", "-1/s", "5/", "5/x", "fast", "1/0s", "inf/s", "nan"] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_caret_of_a_rate_finds_the_unit() {
        assert_eq!(parse_rate("5/parsec").unwrap_err().at, 2);
    }

    #[test]
    fn a_host_is_a_name_as_urls_have_it() {
        let name = |text| read_pattern(text).map(|pattern| pattern.0).ok();
        assert_eq!(name("Example.com").as_deref(), Some("example.com"));
        assert_eq!(name("example.com.").as_deref(), Some("example.com"));
        assert_eq!(name("*.Example.com").as_deref(), Some("*.example.com"));
        assert_eq!(name("bücher.example").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(name("[::1]").as_deref(), Some("[::1]"));
        for wrong in ["http://h/", "h:80", "a b", "*", ""] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn shares_are_from_none_to_all() {
        assert_eq!(parse_share("0.5"), Ok(0.5));
        assert!(parse_share("1.5").is_err() && parse_share("-0.1").is_err() && parse_share("x").is_err());
    }
}
