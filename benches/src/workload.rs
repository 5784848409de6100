//! [`Workload`]: a request for every server, and its correct response.

use bytes::Bytes;

/// One kind of request.
#[derive(Clone)]
pub struct Workload {
    pub name: &'static str,
    /// The folder of its route in `app/handlers`.
    pub route: &'static str,
    pub method: &'static str,
    pub target: &'static str,
    pub headers: &'static [(&'static str, &'static str)],
    pub body: Bytes,
    answer: Answer,
    /// `true` if each request has a path of its own: a number follows the target.
    pub is_numbered: bool,
    /// The status of a correct response.
    pub status: u16,
    /// `true` if streams that stay open are measured instead of requests.
    pub is_events: bool,
}

#[derive(Clone)]
enum Answer {
    Bytes(Bytes),
    Json(serde_json::Value),
    Start(&'static str),
}

impl Workload {
    /// Returns all workloads, the fastest first.
    pub fn all() -> Vec<Self> {
        let json = [("content-type", "application/json")].as_slice();
        let record = serde_json::json!({ "id": 7, "tags": ["a", "b"], "text": "x".repeat(980) });
        let text = record.to_string();
        let big = Bytes::from(vec![b'b'; 1 << 20]);
        let upload = Bytes::from(vec![b'u'; 1 << 20]);
        let item = serde_json::json!({ "slug": "a-barrel", "page": 2, "visits": 8 });
        vec![
            get(
                "hello",
                "hello",
                "/hello",
                Answer::Bytes("Hello, world!".into()),
            ),
            get(
                "cached",
                "cached",
                "/cached",
                Answer::Bytes("Hello, world!".into()),
            ),
            Self {
                is_numbered: true,
                ..get(
                    "numbered",
                    "numbered/[number]",
                    "/numbered/",
                    Answer::Bytes("Hello, world!".into()),
                )
            },
            Self {
                headers: &[("cookie", "theme=dark; visits=7")],
                ..get(
                    "item",
                    "items/[slug]",
                    "/items/a-barrel?page=2",
                    Answer::Json(item),
                )
            },
            Self {
                method: "POST",
                headers: json,
                body: text.into(),
                ..get("echo", "echo", "/echo", Answer::Json(record))
            },
            get("big", "big", "/big", Answer::Bytes(big)),
            Self {
                method: "POST",
                headers: &[("content-type", "application/octet-stream")],
                body: upload.clone(),
                ..get("upload", "upload", "/upload", Answer::Bytes(upload))
            },
            get("wait", "wait", "/wait", Answer::Bytes("waited".into())),
            Self {
                is_events: true,
                ..get("events", "events", "/events", Answer::Start("data: 0\n\n"))
            },
        ]
    }

    /// Returns the same workload with another path.
    pub fn under(&self, target: &'static str) -> Self {
        Self {
            target,
            ..self.clone()
        }
    }

    /// Returns the same workload for a client that has the response already.
    pub fn not_modified(&self) -> Self {
        Self {
            headers: &[("if-none-match", "*")],
            status: 304,
            answer: Answer::Bytes(Bytes::new()),
            ..self.clone()
        }
    }

    /// Checks a response. The error says what is wrong with it.
    pub fn check(&self, status: u16, body: &[u8]) -> Result<(), String> {
        if status != self.status {
            return Err(format!("status {status}"));
        }
        let right = match &self.answer {
            Answer::Bytes(bytes) => body == bytes,
            Answer::Json(value) => {
                serde_json::from_slice(body).is_ok_and(|sent: serde_json::Value| sent == *value)
            }
            Answer::Start(text) => body.starts_with(text.as_bytes()),
        };
        let shown = &body[..body.len().min(80)];
        let wrong = || {
            format!(
                "another body, of {} bytes: {}",
                body.len(),
                String::from_utf8_lossy(shown)
            )
        };
        right.then_some(()).ok_or_else(wrong)
    }
}

fn get(name: &'static str, route: &'static str, target: &'static str, answer: Answer) -> Workload {
    Workload {
        name,
        route,
        method: "GET",
        target,
        headers: &[],
        body: Bytes::new(),
        answer,
        is_numbered: false,
        status: 200,
        is_events: false,
    }
}
