//! Asks a program about itself, and never waits long for the answer.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take. The slowest (`rustc` behind rustup, from a cold disk) takes about one second.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a program is polled that has closed its output and not ended.
const PAUSE: Duration = Duration::from_millis(5);

/// How much of an answer is kept, in bytes. A version takes a few lines.
const MOST_BYTES: u64 = 64 * 1024;

/// Why a program gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// There is no such program.
    Absent,
    /// It did not end in time.
    Endless,
    /// It ended with an error, or could not be started. This is the first line of the message.
    Failed(String),
}

/// Finds a program in the folders of `PATH`, unless it is named by its path.
pub fn find(program: &OsStr) -> Option<PathBuf> {
    if Path::new(program).components().count() > 1 {
        return Some(program.into());
    }
    let mut file = OsString::from(program);
    file.push(env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(&file))
        .find(|file| file.is_file())
}

/// Runs a program in `folder` and returns its standard output.
///
/// # Errors
///
/// When it is not there, fails, or does not end in time.
pub fn ask(program: &OsStr, args: &[&str], folder: &Path) -> Result<String, NoAnswer> {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(folder)
        // A missing toolchain is reported, not downloaded.
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => NoAnswer::Absent,
        _ => NoAnswer::Failed(error.to_string()),
    })?;
    let answer = hear(&mut child);
    // If it ended already, there is nothing to stop.
    let _ = child.kill();
    let _ = child.wait();
    answer
}

fn hear(child: &mut Child) -> Result<String, NoAnswer> {
    let end = Instant::now() + PATIENCE;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (send, receive) = mpsc::channel();
    // A program that this one started can keep the pipes open after the end, and so this thread.
    thread::spawn(move || send.send((read(stdout), read(stderr))));
    let (text, error) = receive
        .recv_timeout(PATIENCE)
        .map_err(|_| NoAnswer::Endless)?;
    let failed = |error: std::io::Error| NoAnswer::Failed(error.to_string());
    let status = loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => break status,
            None if Instant::now() < end => thread::sleep(PAUSE),
            None => return Err(NoAnswer::Endless),
        }
    };
    if status.success() {
        return Ok(text);
    }
    let line = error.lines().map(str::trim).find(|line| !line.is_empty());
    Err(NoAnswer::Failed(
        line.map_or_else(|| status.to_string(), str::to_owned),
    ))
}

/// Reads a pipe to its end, so that the program does not block, and returns the beginning.
fn read(pipe: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // Bytes that were read before an error count.
        let _ = pipe.by_ref().take(MOST_BYTES).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> Result<String, NoAnswer> {
        ask(OsStr::new("sh"), &["-c", script], Path::new("/"))
    }

    #[test]
    fn the_answer_is_the_standard_output() {
        assert_eq!(sh("echo one; echo two >&2"), Ok("one\n".to_owned()));
        assert_eq!(sh("printf '\\377'"), Ok("\u{fffd}".to_owned()));
        let long = sh("head -c 1000000 /dev/zero").map(|text| text.len() as u64);
        assert_eq!(long, Ok(MOST_BYTES));
    }

    #[test]
    fn a_failure_is_its_first_line() {
        let failed = |text: &str| Err(NoAnswer::Failed(text.to_owned()));
        assert_eq!(sh("echo; echo why; exit 3"), failed("exit status: 3"));
        assert_eq!(sh("(echo; echo why; echo more) >&2; exit 3"), failed("why"));
        let name = OsStr::new("no-such-program-here");
        assert_eq!(ask(name, &[], Path::new("/")), Err(NoAnswer::Absent));
        assert_eq!(find(name), None);
        assert!(find(OsStr::new("sh")).is_some());
    }

    #[test]
    fn an_endless_program_is_stopped() {
        let begin = Instant::now();
        assert_eq!(sh("exec yes"), Err(NoAnswer::Endless));
        assert_eq!(sh("sleep 20 & echo one"), Err(NoAnswer::Endless));
        assert!(begin.elapsed() < PATIENCE * 3);
    }
}
