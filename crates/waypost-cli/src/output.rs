//! The only module that prints: results to stdout; errors, warnings and notes to stderr.
//!
//! An error is one message, its causes and one hint; never a backtrace. A closed pipe is not an error (and no reason to panic, as
//! for `println!`): nobody reads the output. Control characters, which the name of a folder or a message of a component may contain,
//! are printed as escapes, so that they cannot change the terminal.

use std::borrow::Cow;
use std::io::Write;

use waypost_config::{Fault, Faults};

use crate::failure::Failure;

/// Prints an error of a command.
pub fn error(error: &anyhow::Error) {
    write(&render(error));
}

/// Prints a warning, or a fault that does not end the command.
pub fn fault(fault: &Fault) {
    write(&fault.report().to_string());
}

/// Prints what the command does or has done.
pub fn note(message: &str) {
    write(message);
}

/// Prints a message of Cargo with its colours.
pub fn coloured(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{message}");
}

/// Prints a result, with its line ends, to stdout.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(escaped(text).as_bytes())
        .and_then(|()| stdout.flush());
}

/// Returns `1 route`, `2 routes` and so on.
pub fn routes(count: usize) -> String {
    match count {
        1 => "1 route".to_owned(),
        many => format!("{many} routes"),
    }
}

fn write(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", escaped(text));
}

/// Replaces control characters, except line ends and tabs, and characters that change the direction of text.
fn escaped(text: &str) -> Cow<'_, str> {
    let is_unsafe = |c: char| {
        let is_direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        (c.is_control() && c != '\n' && c != '\t') || is_direction
    };
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| match is_unsafe(c) {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    Cow::Owned(text.chars().map(escape).collect())
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
    fn control_characters_do_not_reach_the_terminal() {
        let text = "a\u{1b}[31mb\u{7}\r\u{9b}\u{202e}\n\tü";
        assert_eq!(escaped(text), "a\\u{1b}[31mb\\u{7}\\r\\u{9b}\\u{202e}\n\tü");
        assert!(matches!(escaped("plain"), Cow::Borrowed(_)));
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
