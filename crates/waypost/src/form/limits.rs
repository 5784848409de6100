//! How much of a form is read.

use crate::DEFAULT_BODY_LIMIT;

/// How many fields a form may have unless a handler says otherwise: as many as
/// [Django](https://docs.djangoproject.com/en/stable/ref/settings/#data-upload-max-number-fields) and
/// [PHP](https://www.php.net/manual/en/info.configuration.php#ini.max-input-vars) let through.
const DEFAULT_FIELDS: usize = 1000;

/// How much of a form a handler reads: beyond that the answer is a 413.
///
/// A number of bytes is the limit of the whole form: `req.form_data_with_limit(50 << 20)`.
///
/// # Examples
///
/// ```
/// use waypost::{FormLimits, Request, Result};
///
/// async fn post(req: Request) -> Result<String> {
///     let limits = FormLimits::new().body(50 << 20).text(64 << 10).fields(20);
///     let form = req.form_data_with_limit(limits).await?;
///     Ok(form.get("title").unwrap_or("untitled").to_owned())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FormLimits {
    pub(crate) body: usize,
    pub(crate) text: usize,
    pub(crate) fields: usize,
}

impl FormLimits {
    /// Makes the limits that a form has by default: [`DEFAULT_BODY_LIMIT`] for the whole and for each
    /// text in it, and 1,000 fields.
    pub fn new() -> Self {
        Self {
            body: DEFAULT_BODY_LIMIT,
            text: DEFAULT_BODY_LIMIT,
            fields: DEFAULT_FIELDS,
        }
    }

    /// Limits the whole body, in bytes; `usize::MAX` is no limit.
    #[must_use]
    pub fn body(mut self, bytes: usize) -> Self {
        self.body = bytes;
        self
    }

    /// Limits each field that is no file, in bytes of its value.
    #[must_use]
    pub fn text(mut self, bytes: usize) -> Self {
        self.text = bytes;
        self
    }

    /// Limits the number of fields, files among them.
    #[must_use]
    pub fn fields(mut self, number: usize) -> Self {
        self.fields = number;
        self
    }
}

impl Default for FormLimits {
    fn default() -> Self {
        Self::new()
    }
}

/// Limits of this many bytes for the whole body and for each text in it.
impl From<usize> for FormLimits {
    fn from(bytes: usize) -> Self {
        Self::new().body(bytes).text(bytes)
    }
}
