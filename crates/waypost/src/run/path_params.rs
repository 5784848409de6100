//! What the params of a route are in a path.

use waypost_routing::Params;

/// The params of a path. Behind it is the code that they need: a component whose pattern has none holds none of it.
pub struct PathParams(Option<Box<dyn Values>>);

impl PathParams {
    /// The params of a path without any.
    pub const NOTHING: Self = Self(None);

    pub(crate) fn params(&self) -> &Params {
        static NONE: Params = Params::NONE;
        self.0.as_ref().map_or(&NONE, |values| values.params())
    }
}

impl From<Params> for PathParams {
    fn from(params: Params) -> Self {
        Self(Some(Box::new(params)))
    }
}

trait Values {
    fn params(&self) -> &Params;
}

impl Values for Params {
    fn params(&self) -> &Params {
        self
    }
}
