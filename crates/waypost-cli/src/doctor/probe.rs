//! Asks a program about itself, and never waits long for the answer.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take. The slowest that answer (`rustc` behind rustup, from a cold disk) take about one
/// second.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a program is looked at that has said all and not ended.
const PAUSE: Duration = Duration::from_millis(5);

/// How long the message of a program that has ended may take to arrive.
const GRACE: Duration = Duration::from_millis(200);

/// How much of an answer is read. A version takes a few lines.
const MOST_BYTES: u64 = 64 * 1024;

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What it printed to stdout.
    Text(String),
    /// There is no such program.
    Absent,
    /// It did not end in time.
    Silent,
    /// It ended with an error, or could not be started: the first line of why.
    Failed(String),
}

/// Finds a program as a shell would: by the folders in `PATH`, unless it is named by its path.
pub fn find(program: &OsStr) -> Option<PathBuf> {
    if Path::new(program).components().count() > 1 {
        return Some(program.into());
    }
    let mut file = OsString::from(program);
    file.push(env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(&file))
        .find(|file| file.is_file())
}

/// Starts a program in `folder` and reads what it says.
pub fn ask(program: &OsStr, args: &[&str], folder: &Path) -> Answer {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(folder)
        // A toolchain that is missing is told, and not downloaded.
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    match command.spawn() {
        Ok(child) => hear(child),
        Err(error) if error.kind() == ErrorKind::NotFound => Answer::Absent,
        Err(error) => Answer::Failed(error.to_string()),
    }
}

fn hear(mut child: Child) -> Answer {
    let end = Instant::now() + PATIENCE;
    let stdout = read(child.stdout.take());
    let stderr = read(child.stderr.take());
    // The pipes can stay open in a program that this one has started: they are not waited for beyond the end.
    let text = stdout.recv_timeout(PATIENCE);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) if text.is_ok() => break status,
            Ok(_) if Instant::now() < end && text.is_ok() => thread::sleep(PAUSE),
            Ok(_) => {
                give_up(child);
                return Answer::Silent;
            }
            Err(error) => return Answer::Failed(error.to_string()),
        }
    };
    if status.success() {
        return Answer::Text(text.unwrap_or_default());
    }
    let error = stderr.recv_timeout(GRACE).unwrap_or_default();
    let line = error.lines().find(|line| !line.trim().is_empty());
    Answer::Failed(line.map_or_else(|| status.to_string(), |line| line.trim().to_owned()))
}

/// Ends a program that takes too long. That it has ended by now is fine too.
fn give_up(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a pipe in a thread of its own, which ends with the pipe or with this process.
fn read(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error counts.
            let _ = pipe.by_ref().take(MOST_BYTES).read_to_end(&mut bytes);
            // A program that is not read to the end would wait, or fail.
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        }
        // Nobody listens any more once the program was given up.
        let _ = send.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receive
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str) -> Answer {
        ask(OsStr::new("sh"), &["-c", script], Path::new("/"))
    }

    #[test]
    fn an_answer_is_what_stdout_has() {
        assert_eq!(
            sh("echo one; echo two >&2"),
            Answer::Text("one\n".to_owned())
        );
        assert_eq!(sh("printf '\\377'"), Answer::Text("\u{fffd}".to_owned()));
    }

    #[test]
    fn an_endless_answer_is_given_up() {
        assert_eq!(sh("exec yes"), Answer::Silent);
    }

    #[test]
    fn a_long_answer_is_cut() {
        let Answer::Text(text) = sh("head -c 1000000 /dev/zero") else {
            panic!("it ended");
        };
        assert_eq!(text.len() as u64, MOST_BYTES);
    }

    #[test]
    fn a_failure_is_its_first_line() {
        let failed = |text: &str| Answer::Failed(text.to_owned());
        assert_eq!(sh("echo; echo why; exit 3"), failed("exit status: 3"));
        assert_eq!(sh("(echo; echo why; echo more) >&2; exit 3"), failed("why"));
    }

    #[test]
    fn an_open_pipe_is_not_waited_for() {
        let begin = Instant::now();
        assert_eq!(sh("sleep 20 & echo one"), Answer::Silent);
        assert!(begin.elapsed() < PATIENCE * 2);
    }

    #[test]
    fn what_is_not_there_is_absent() {
        let name = OsStr::new("no-such-program-here");
        assert_eq!(ask(name, &[], Path::new("/")), Answer::Absent);
        assert_eq!(find(name), None);
        assert!(find(OsStr::new("sh")).is_some());
    }
}
