//! What the allocator keeps of the memory that is free.

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// `mi_option_purge_delay`: how long free pages are kept, in milliseconds. The bindings have no name for it.
const PURGE_DELAY: mi_option_t = 15;

/// Has free pages go back to the system at once, where they are kept for a second otherwise. To build and to compile
/// takes a tenth longer with that; to serve does not, and takes a fifth less memory.
#[expect(
    unsafe_code,
    reason = "the allocator has no other way to set an option"
)]
pub(super) fn keep_little() {
    // SAFETY: the function stores a number. A thread that frees memory meanwhile reads this one or the one before.
    unsafe { mi_option_set(PURGE_DELAY, 0) };
}

#[cfg(test)]
mod tests {
    use super::PURGE_DELAY;
    use libmimalloc_sys::mi_option_get;

    #[test]
    #[expect(
        unsafe_code,
        reason = "the allocator has no other way to tell an option"
    )]
    fn the_option_is_the_delay() {
        // SAFETY: the function reads a number.
        let default = unsafe { mi_option_get(PURGE_DELAY) };
        assert_eq!(default, 1000, "no other option has this default");
    }
}
