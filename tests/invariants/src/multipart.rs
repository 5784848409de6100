//! Multipart forms: a written form is read unchanged.

use waypost::form::{File, FormData, FormValue};
use waypost::http::HeaderValue;
use waypost::{Body, Response};

use crate::form::read;
use crate::input::Fields;

/// Checks that a form survives a round trip.
///
/// Fields: names and values in turn. A name that begins with `@` is that of a file, whose file name and media type
/// precede its content.
pub fn multipart(data: &[u8]) {
    let mut texts = Fields::of(data).texts();
    let mut form = FormData::new();
    while let Some(name) = texts.next() {
        let mut next = || texts.next().unwrap_or_default();
        form = match name.strip_prefix('@') {
            Some(name) => form.with_file(name, File::new(next(), next(), next().to_owned())),
            None => form.with(name, next()),
        };
    }
    assert_comes_back(form);
}

/// One field in comparable form: its name, and its text or the name, type and content of its file.
pub(crate) type Field = (String, Result<String, (String, String, Vec<u8>)>);

/// Returns the fields of a form.
pub(crate) fn fields(form: &FormData) -> Vec<Field> {
    let field = |(name, value): (&str, &FormValue)| {
        let value = match value {
            FormValue::Text(text) => Ok(text.clone()),
            FormValue::File(file) => Err((
                file.name.clone(),
                file.media_type.clone(),
                file.content.to_vec(),
            )),
        };
        (name.to_owned(), value)
    };
    form.iter().map(field).collect()
}

/// Writes the form, reads it, and compares.
pub(crate) fn assert_comes_back(form: FormData) {
    let expected: Vec<_> = fields(&form).into_iter().map(as_sent).collect();
    let body = Body::from(form);
    let response = Response::new(body);
    let content_type: HeaderValue = response.headers()["content-type"].clone();
    let bytes = waypost::test::block_on(response.bytes()).unwrap();
    match read(&content_type, bytes) {
        Ok(form) => assert_eq!(fields(&form), expected),
        Err(error) => assert!(expected.iter().any(is_refused), "{error}: {expected:?}"),
    }
}

/// Changes a field as the HTML standard does when a form is sent.
///
/// Line breaks in texts become CRLF. An escape in a name can't be distinguished from one that the encoder added.
fn as_sent((name, value): Field) -> Field {
    let value = match value {
        Ok(text) => Ok(crlf(text.strip_prefix('\u{feff}').unwrap_or(&text))),
        Err((name, media_type, content)) => {
            let media_type = match media_type.trim() {
                "" => "application/octet-stream",
                media_type if !media_type.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
                    "application/octet-stream"
                }
                media_type => media_type,
            };
            Err((unescaped(&name), media_type.to_owned(), content))
        }
    };
    (unescaped(&name), value)
}

/// Returns `true` if a field can't be written, because its names contain control characters that are invalid in a header
/// of the part.
fn is_refused((name, value): &Field) -> bool {
    let of_file = value.as_ref().err().map(|(name, _, _)| name);
    [Some(name), of_file].into_iter().flatten().any(|name| {
        let kept = name.replace(['\r', '\n'], "");
        kept.contains(is_no_text)
    })
}

fn is_no_text(character: char) -> bool {
    character.is_ascii_control() && character != '\t'
}

fn crlf(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    lines.replace('\n', "\r\n")
}

fn unescaped(name: &str) -> String {
    name.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}
