//! Progress on stderr: a live line on a terminal, plain lines elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// How often the live line is drawn.
const TICK: Duration = Duration::from_millis(100);

/// One step of a build that makes a known number of components.
pub(super) struct Progress {
    title: String,
    total: usize,
    done: AtomicUsize,
    start: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn start(title: String, total: usize) -> Progress {
        let bar = bar(&title, total);
        if bar.is_none() {
            output::note(&title);
        }
        Progress {
            title,
            total,
            done: AtomicUsize::new(0),
            start: Instant::now(),
            bar,
        }
    }

    /// Starts a step that leaves no line behind: it is visible on a terminal while it lasts, and nowhere else.
    pub(super) fn brief(title: String, total: usize) -> Progress {
        Progress {
            bar: Some(bar(&title, total).unwrap_or_else(ProgressBar::hidden)),
            title,
            total,
            done: AtomicUsize::new(0),
            start: Instant::now(),
        }
    }

    /// Returns progress that is not shown.
    #[cfg(test)]
    pub(super) fn hidden() -> Progress {
        Progress {
            title: String::new(),
            total: 0,
            done: AtomicUsize::new(0),
            start: Instant::now(),
            bar: Some(ProgressBar::hidden()),
        }
    }

    /// Shows the current work.
    pub(super) fn doing(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
    }

    /// Counts a finished component. Components that were up to date are counted but not named.
    pub(super) fn made(&self, what: &str, work: Work) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match (&self.bar, work) {
            (Some(bar), _) => bar.inc(1),
            (None, Work::Compiled) => output::note(&format!("  {what} ({done} of {})", self.total)),
            (None, Work::Fresh) => {}
        }
    }

    /// Prints lines of Cargo above the live line.
    pub(super) fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::coloured(text)),
            None => output::coloured(text),
        }
    }

    /// Ends the live line, and prints how long the step took.
    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
            let seconds = self.start.elapsed().as_secs_f64();
            output::note(&format!("{} ({seconds:.1} s)", self.title));
        }
    }

    /// Ends the live line without a trace.
    pub(super) fn clear(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    /// Returns whether the output is a terminal, which shows colours.
    pub(super) fn is_terminal(&self) -> bool {
        self.bar.is_some()
    }
}

/// Whether a component was compiled or up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Compiled,
    Fresh,
}

fn bar(title: &str, total: usize) -> Option<ProgressBar> {
    let target = ProgressDrawTarget::stderr();
    if target.is_hidden() {
        return None;
    }
    let total = u64::try_from(total).unwrap_or(u64::MAX);
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let style =
        ProgressStyle::with_template("{spinner} {prefix} {pos}/{len} [{elapsed}] {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
    bar.set_style(style);
    bar.set_prefix(title.to_owned());
    bar.enable_steady_tick(TICK);
    Some(bar)
}
