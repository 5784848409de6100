//! `waypost cache` against an app that answers as it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};
use std::thread::{self, JoinHandle};

/// What is sent to one request, and the request.
struct Told {
    address: SocketAddr,
    asked: JoinHandle<Vec<String>>,
}

/// Answers one request for each of these responses: a status, a content type and a body.
fn tell(answers: &[(&str, &str, &str)]) -> Told {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answers = answers.iter().map(|(status, kind, body)| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
    });
    let answers: Vec<_> = answers.collect();
    let asked = thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head += &line;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            asked.push(head + &String::from_utf8(body).unwrap());
        }
        asked
    });
    Told { address, asked }
}

fn cache(args: &str, address: SocketAddr) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_waypost"))
        .arg("cache")
        .args(args.split_whitespace())
        .args(["--admin", &address.to_string()])
        .current_dir(folder.path())
        .output()
        .unwrap()
}

fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

const LIST: &str = r#"{"entries":[
    {"id":"0a1b","path":"/blog","query":"page=2","route":"/blog","status":200,"state":"stale","age":3700,"revalidate":60,"size":2048,"hits":7,"tags":["posts","b"]},
    {"id":"ff","path":"/blog/\u001b[31m","query":"","route":null,"status":404,"state":"fresh","age":1,"revalidate":null,"size":9,"hits":0,"tags":[]}
  ],"matching":5,"stored":12,"bytes":3145728,"capacity":67108864,"development":false}"#;

#[test]
fn ls_prints_a_table_or_the_json() {
    let told = tell(&[("200 OK", "application/json", LIST); 2]);
    let (code, stdout, stderr) = texts(&cache(
        "ls --prefix /blog --tag a&b --limit 2",
        told.address,
    ));
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(
        stdout,
        "ID    STATUS  STATE  AGE  FRESH  SIZE   HITS  PATH          TAGS\n\
         0a1b  200     stale  1h   1m     2 KiB  7     /blog?page=2  posts b\n\
         ff    404     fresh  1s   -      9 B    0     /blog/\\u{1b}[31m\n"
    );
    assert_eq!(
        stderr,
        "2 of 5 that match, of 12 stored responses; 3 MiB of 64 MiB\n"
    );
    let (code, stdout, _) = texts(&cache("ls --json", told.address));
    let value: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &value["entries"][0]["hits"]), (Some(0), &7.into()));
    let asked = told.asked.join().unwrap();
    let target = "GET /.well-known/waypost/cache?limit=2&prefix=%2Fblog&tag=a%26b HTTP/1.1\r\n";
    assert!(asked[0].starts_with(target), "{}", asked[0]);
    assert!(
        !asked[0].to_ascii_lowercase().contains("origin:"),
        "{}",
        asked[0]
    );
}

#[test]
fn show_takes_an_id_or_a_path() {
    let entry =
        r#"{"id":"ff","path":"/a","status":200,"age":61,"tags":["x"],"headers":{"etag":"\"1\""}}"#;
    let one = ("200 OK", "application/json", entry);
    let list = LIST.replace("/blog/\\u001b[31m", "/a");
    let told = tell(&[
        one,
        ("200 OK", "application/json", &list),
        one,
        ("200 OK", "application/json", &list),
    ]);
    let (code, by_id, stderr) = texts(&cache("show ff/..", told.address));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        by_id.contains("age     1m\n") && by_id.contains("etag:   \"1\"\n"),
        "{by_id}"
    );
    assert_eq!(texts(&cache("show /a", told.address)).1, by_id);
    let (code, _, stderr) = texts(&cache("show /none", told.address));
    assert_eq!(code, Some(1));
    assert_eq!(
        stderr,
        "error: no response of `/none` is stored\n  hint: `cargo waypost cache ls` lists what is stored\n"
    );
    let asked = told.asked.join().unwrap();
    assert!(
        asked[0].starts_with("GET /.well-known/waypost/cache/ff%2F.. "),
        "{}",
        asked[0]
    );
    assert!(
        asked[2].starts_with("GET /.well-known/waypost/cache/ff "),
        "{}",
        asked[2]
    );
}

#[test]
fn revalidate_posts_names_and_prints_what_they_concerned() {
    let answer = r#"{"revalidated":[{"what":"tag:posts (stale)","entries":3}],"warnings":["no route of the app answers `/x`"]}"#;
    let told = tell(&[("200 OK", "application/json", answer)]);
    let args = "revalidate --tag posts --tag b --path /x --below / --route /blog/[slug]";
    let (code, stdout, stderr) = texts(&cache(args, told.address));
    assert_eq!(
        (code, stdout.as_str()),
        (
            Some(0),
            "REVALIDATED        RESPONSES\ntag:posts (stale)  3\n"
        )
    );
    assert_eq!(stderr, "warning: no route of the app answers `/x`\n");
    let asked = told.asked.join().unwrap().remove(0);
    assert!(
        asked.starts_with("POST /.well-known/waypost/cache/revalidate "),
        "{asked}"
    );
    assert!(
        asked.contains("content-type: application/json\r\n"),
        "{asked}"
    );
    let body = asked.lines().last().unwrap();
    let expected = serde_json::json!({
        "tags": ["posts", "b"], "paths": ["/x"], "below": ["/"], "routes": ["/blog/[slug]"], "expire": false,
    });
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(body).unwrap(),
        expected
    );
}

#[test]
fn what_goes_wrong_is_one_clear_message() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (code, _, stderr) = texts(&cache("ls", free));
    assert_eq!(code, Some(1));
    assert!(
        stderr.starts_with(&format!(
            "error: nothing listens on {free}\n  hint: is the app running, with `admin = "
        )),
        "{stderr}"
    );
    for (answer, expected) in [
        (
            (
                "400 Bad Request",
                "application/json",
                r#"{"error":"a tag is empty"}"#,
            ),
            "error: a tag is empty\n",
        ),
        (
            ("404 Not Found", "text/plain", "Not Found\n"),
            "is not the admin address of an app: the response has status 404",
        ),
        (
            ("200 OK", "text/html", "<html>"),
            "is not the admin address of an app",
        ),
        (
            ("200 OK", "application/json", "{}"),
            "the app answers in another form",
        ),
        (
            ("200 OK", "application/json", "{\"entries\":1}"),
            "the app answers in another form",
        ),
    ] {
        let told = tell(&[answer]);
        let (code, stdout, stderr) = texts(&cache("ls", told.address));
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{answer:?}");
        assert!(stderr.contains(expected), "{answer:?}: {stderr}");
        told.asked.join().unwrap();
    }
}
