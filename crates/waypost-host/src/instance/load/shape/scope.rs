//! One component of a walk: the components that its indices mean, and how many instances it makes.

/// A component whose end has not been reached.
#[derive(Default)]
pub(super) struct Scope {
    /// For each index of a component, how many instances one instance of that component consists of.
    components: Vec<u64>,
    instances: u64,
    /// Whether the part that is being read inside is a component, which gets an index at its end.
    inside_is_component: bool,
}

impl Scope {
    pub(super) fn begins_component(&mut self) {
        self.inside_is_component = true;
    }

    pub(super) fn begins_module(&mut self) {
        self.inside_is_component = false;
    }

    /// Gives the component that ended its index.
    pub(super) fn ends_nested(&mut self, instances: u64) {
        if self.inside_is_component {
            self.components.push(instances);
        }
    }

    pub(super) fn adds_component(&mut self, instances: u64) {
        self.components.push(instances);
    }

    pub(super) fn adds_instances(&mut self, count: u64) {
        self.instances = self.instances.saturating_add(count);
    }

    pub(super) fn component(&self, index: u32) -> Option<u64> {
        let index = usize::try_from(index).ok()?;
        self.components.get(index).copied()
    }

    pub(super) fn instances(&self) -> u64 {
        self.instances
    }
}
