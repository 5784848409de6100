//! HTTP dates.

use std::fmt;
use std::time::SystemTime;

use cookie::time::{OffsetDateTime, UtcOffset};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Displays a date in the format of HTTP (RFC 9110 section 5.6.7): `Tue, 01 Jan 2030 00:00:00 GMT`.
pub(crate) struct HttpDate(pub(crate) OffsetDateTime);

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.0.to_offset(UtcOffset::UTC);
        let weekday = DAYS[usize::from(date.weekday().number_days_from_monday())];
        let month = MONTHS[usize::from(u8::from(date.month())) - 1];
        let (hour, minute, second) = date.to_hms();
        let (day, year) = (date.day(), date.year());
        write!(
            f,
            "{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
        )
    }
}

/// Returns the current time in whole seconds.
pub(crate) fn now() -> OffsetDateTime {
    let now = OffsetDateTime::from(SystemTime::now());
    now.replace_nanosecond(0).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_893_456_000, "Tue, 01 Jan 2030 00:00:00 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        ] {
            let date = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            assert_eq!(HttpDate(date).to_string(), text);
        }
    }
}
