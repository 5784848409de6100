//! What is printed, and how: results on stdout; errors, warnings and notes on stderr.
//!
//! An error is one message, its causes and one hint; never a backtrace. A closed pipe is no reason
//! to fail (or to panic, as `println!` would): there is nobody left to tell.

use std::io::Write;

use waypost_config::{Fault, Faults};

use crate::failure::Failure;

/// Prints an error of a command.
pub fn error(error: &anyhow::Error) {
    write(&render(error));
}

/// Prints a warning, or a fault that is not the end of the command.
pub fn fault(fault: &Fault) {
    write(&fault.report().to_string());
}

/// Prints what the command is doing or has done.
pub fn note(message: &str) {
    write(message);
}

/// Prints a result, with its line ends, to stdout.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

/// `1 route`, `2 routes`.
pub fn routes(count: usize) -> String {
    match count {
        1 => "1 route".to_owned(),
        many => format!("{many} routes"),
    }
}

fn write(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn render(error: &anyhow::Error) -> String {
    if let Some(faults) = error.downcast_ref::<Faults>() {
        return faults.report().to_string();
    }
    let mut text = format!("error: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Many errors repeat their source in their own message.
        if !last.contains(&cause) {
            text.push_str(&format!("\n  because: {}", cause.replace('\n', "\n    ")));
        }
        last = cause;
    }
    let hint = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>()?.advice());
    if let Some(hint) = hint {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn an_error_is_a_message_causes_and_a_hint() {
        let error = Err::<(), _>(Failure::new("no such thing").hint("make one"))
            .context("the app cannot be built")
            .unwrap_err();
        assert_eq!(
            render(&error),
            "error: the app cannot be built\n  because: no such thing\n  hint: make one"
        );
    }

    #[test]
    fn a_cause_that_the_message_repeats_is_left_out() {
        let error = anyhow::anyhow!("inner").context("outer: inner");
        assert_eq!(render(&error), "error: outer: inner");
    }

    #[test]
    fn faults_are_printed_as_they_are() {
        let faults = Faults::refuse(vec![Fault::error("a"), Fault::error("b").hint("c")]);
        assert_eq!(
            render(&faults.unwrap_err().into()),
            "error: a\nerror: b\n  hint: c"
        );
    }
}
