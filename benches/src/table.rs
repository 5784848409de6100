//! [`Table`]: the medians of each line's runs, compared with a base.

use std::fmt;

use crate::sample::{Sample, median};

/// The runs of one line for one workload.
#[derive(serde::Serialize)]
pub struct Row {
    pub line: &'static str,
    pub runs: Vec<Sample>,
    /// The time from the start of the process to the first correct response, in milliseconds.
    pub ready: f64,
    /// The peak of resident memory, in bytes.
    pub memory: u64,
    /// The memory of each open stream, in bytes.
    pub memory_of_stream: Option<u64>,
}

/// The rows of one workload.
#[derive(serde::Serialize)]
pub struct Table {
    pub workload: &'static str,
    pub base: &'static str,
    pub rows: Vec<Row>,
    /// The lines without figures, with the reasons.
    pub missing: Vec<(&'static str, String)>,
}

impl Table {
    /// Returns the median of each round's ratio to the base in that round.
    fn ratio(&self, row: &Row) -> Option<f64> {
        let base = self.rows.iter().find(|row| row.line == self.base)?;
        let rounds = row
            .runs
            .iter()
            .zip(&base.runs)
            .filter(|(_, base)| base.rate > 0.0);
        median(rounds.map(|(run, base)| run.rate / base.rate))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = format!("/ {}", self.base);
        let streams = if self.workload == "events" {
            " kB a stream |"
        } else {
            ""
        };
        writeln!(f, "### {}\n", self.workload)?;
        writeln!(
            f,
            "| line | requests/s | least – most | p50 ms | p99 ms | {base} | RSS MB | ready ms | bad |{streams}"
        )?;
        writeln!(
            f,
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |{}",
            if streams.is_empty() { "" } else { " ---: |" }
        )?;
        for row in &self.rows {
            let of =
                |figure: fn(&Sample) -> f64| median(row.runs.iter().map(figure)).unwrap_or(0.0);
            let rates = || row.runs.iter().map(|run| run.rate);
            let (least, most) = (
                rates().fold(f64::INFINITY, f64::min),
                rates().fold(0.0, f64::max),
            );
            let ratio = self
                .ratio(row)
                .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            let bad: u64 = row.runs.iter().map(|run| run.bad).sum();
            write!(
                f,
                "| {} | {:.0} | {least:.0} – {most:.0} ",
                row.line,
                of(|run| run.rate)
            )?;
            write!(f, "| {:.2} | {:.2} ", of(|run| run.p50), of(|run| run.p99))?;
            write!(
                f,
                "| {ratio} | {:.0} | {:.0} | {bad} |",
                row.memory as f64 / 1e6,
                row.ready
            )?;
            if let Some(bytes) = row.memory_of_stream {
                write!(f, " {:.0} |", bytes as f64 / 1e3)?;
            }
            writeln!(f)?;
        }
        for (line, reason) in &self.missing {
            writeln!(f, "\nNot measured: {line}: {reason}")?;
        }
        Ok(())
    }
}
