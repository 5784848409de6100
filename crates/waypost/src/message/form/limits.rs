//! Limits for reading forms.

use crate::body::DEFAULT_BODY_LIMIT;

/// The default limit of the number of fields: that of
/// [Django](https://docs.djangoproject.com/en/stable/ref/settings/#data-upload-max-number-fields) and
/// [PHP](https://www.php.net/manual/en/info.configuration.php#ini.max-input-vars).
const DEFAULT_FIELDS: usize = 1000;

/// Limits for reading a form. Beyond them the response is a 413.
///
/// A plain number is a limit in bytes for the whole form: `req.form_data_with_limit(50 << 20)`.
///
/// # Examples
///
/// ```
/// use waypost::form::FormLimits;
/// use waypost::{Request, Result};
///
/// async fn post(req: Request) -> Result<String> {
///     let limits = FormLimits::new().body(50 << 20).text(64 << 10).fields(20);
///     let form = req.form_data_with_limit(limits).await?;
///     Ok(form.get("title").unwrap_or("untitled").to_owned())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FormLimits {
    pub(crate) body: u64,
    pub(crate) text: usize,
    pub(crate) fields: usize,
}

impl FormLimits {
    /// Returns the default limits: [`DEFAULT_BODY_LIMIT`] for the whole body and for each text, and 1,000 fields.
    pub fn new() -> Self {
        Self {
            body: DEFAULT_BODY_LIMIT as u64,
            text: DEFAULT_BODY_LIMIT,
            fields: DEFAULT_FIELDS,
        }
    }

    /// Limits the whole body, in bytes.
    #[must_use]
    pub fn body(mut self, bytes: u64) -> Self {
        self.body = bytes;
        self
    }

    /// Returns the limit for content that is read into memory, which is never larger than `usize`.
    pub(crate) fn in_memory(&self) -> usize {
        usize::try_from(self.body).unwrap_or(usize::MAX)
    }

    /// Limits the value of each text field, in bytes.
    #[must_use]
    pub fn text(mut self, bytes: usize) -> Self {
        self.text = bytes;
        self
    }

    /// Limits the number of fields, files included.
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

/// Limits the whole body, and each text in it, to this number of bytes.
impl From<u64> for FormLimits {
    fn from(bytes: u64) -> Self {
        let in_memory = usize::try_from(bytes).unwrap_or(usize::MAX);
        Self::new().body(bytes).text(in_memory)
    }
}
