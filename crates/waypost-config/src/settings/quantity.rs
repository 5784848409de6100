//! Durations, sizes and counts: numbers with a unit, within a valid range.

use std::time::Duration;

use crate::document::{Collector, Table, Value};
use crate::fault::FaultKind;

/// The valid range of a setting, and the messages for values outside it.
pub(super) struct Bounds<T> {
    pub(super) least: T,
    pub(super) most: T,
    /// The message for a value below `least`.
    pub(super) below: &'static str,
    /// The message for a value above `most`.
    pub(super) above: &'static str,
}

/// Reads a duration, such as `30s`, `500ms`, `2m` or `1h`.
pub(super) fn read_duration(
    table: &Table<'_>,
    key: &str,
    bounds: &Bounds<Duration>,
    faults: &mut Collector,
) -> Option<Duration> {
    let value = table.get(key)?;
    let Some(text) = value.as_str() else {
        return value.wrong("a duration with its unit, such as `\"30s\"`", faults);
    };
    match parse_duration(text) {
        Some(duration) => within(&value, text, duration, bounds, faults),
        None => {
            let reason = "write a whole number and `ms`, `s`, `m` or `h`";
            refuse(&value, text, reason, faults)
        }
    }
}

/// Reads a size in bytes, such as `10MiB`, `64KiB`, `1GB` or `4096`.
pub(super) fn read_size(
    table: &Table<'_>,
    key: &str,
    bounds: &Bounds<u64>,
    faults: &mut Collector,
) -> Option<u64> {
    let value = table.get(key)?;
    if let Some(number) = value.as_integer() {
        return within_bytes(&value, number, bounds, faults);
    }
    let Some(text) = value.as_str() else {
        return value.wrong("a size, such as `\"10MiB\"` or a number of bytes", faults);
    };
    match parse_size(text) {
        Some(size) => within(&value, text, size, bounds, faults),
        None => {
            let reason = "write a whole number and `B`, `kB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`";
            refuse(&value, text, reason, faults)
        }
    }
}

/// Reads a count, such as `100`.
pub(super) fn read_count(
    table: &Table<'_>,
    key: &str,
    bounds: &Bounds<usize>,
    faults: &mut Collector,
) -> Option<usize> {
    let value = table.get(key)?;
    let Some(number) = value.as_integer() else {
        return value.wrong("a whole number", faults);
    };
    // A negative number becomes 0, which is below every range.
    let count = usize::try_from(number).unwrap_or(0);
    within(&value, &value.integer_text(), count, bounds, faults)
}

/// Reports an invalid value. Returns `None`.
pub(super) fn refuse<T>(
    value: &Value<'_>,
    text: &str,
    reason: &str,
    faults: &mut Collector,
) -> Option<T> {
    let kind = FaultKind::Unusable {
        key: value.key().to_owned(),
        table: value.table_title().to_owned(),
        value: text.to_owned(),
        reason: reason.to_owned(),
    };
    faults.add(value.range(), kind);
    None
}

fn within<T: PartialOrd>(
    value: &Value<'_>,
    text: &str,
    number: T,
    bounds: &Bounds<T>,
    faults: &mut Collector,
) -> Option<T> {
    if number < bounds.least {
        refuse(value, text, bounds.below, faults)
    } else if number > bounds.most {
        refuse(value, text, bounds.above, faults)
    } else {
        Some(number)
    }
}

fn within_bytes(
    value: &Value<'_>,
    number: i64,
    bounds: &Bounds<u64>,
    faults: &mut Collector,
) -> Option<u64> {
    let text = value.integer_text();
    match u64::try_from(number) {
        Ok(size) => within(value, &text, size, bounds, faults),
        Err(_) => refuse(value, &text, bounds.below, faults),
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(milliseconds)?))
}

/// Parses a size, such as `8MiB` or `500 kB`, and returns it in bytes, or `None` if the text is not a size.
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let bytes = match unit {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(bytes)
}

/// Splits a text into number and unit, with or without a space between them.
fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, milliseconds) in [
            ("30s", Some(30_000)),
            ("500ms", Some(500)),
            ("2m", Some(120_000)),
            ("1 h", Some(3_600_000)),
            ("0s", Some(0)),
            ("30", None),
            ("s", None),
            ("", None),
            ("1.5s", None),
            ("-1s", None),
            ("1d", None),
            ("1s1s", None),
            ("18446744073709551615h", None),
            ("99999999999999999999s", None),
        ] {
            let expected = milliseconds.map(Duration::from_millis);
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes_may_have_a_unit() {
        for (text, bytes) in [
            ("10MiB", Some(10 << 20)),
            ("64KiB", Some(64 << 10)),
            ("1GB", Some(1_000_000_000)),
            ("1 GiB", Some(1 << 30)),
            ("5kB", Some(5_000)),
            ("7", Some(7)),
            ("7B", Some(7)),
            ("MiB", None),
            ("1.5MiB", None),
            ("1mib", None),
            ("18446744073709551615KiB", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }
}
