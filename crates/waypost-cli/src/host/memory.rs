//! How a process that serves holds its memory: of a host with some instances, each part is small and soon free.

use libmimalloc_sys::{mi_collect, mi_option_set_default, mi_option_t};

/// `mi_option_purge_delay`: how long free pages are kept, in milliseconds. The bindings have no name for it.
const PURGE_DELAY: mi_option_t = 15;

/// Has free pages go back to the system at once, where they are kept for a second otherwise, and has no page of 2 MiB
/// made of what is used by a fraction.
///
/// To compile a component takes a tenth longer with that; to answer a request does not. The environment variable
/// `MIMALLOC_PURGE_DELAY` has the last word.
pub(super) fn keep_small() {
    leave_small_pages();
    give_back();
}

#[expect(
    unsafe_code,
    reason = "the allocator has no other way to set an option"
)]
fn give_back() {
    // SAFETY: the first function has no conditions. The second stores a number; a thread that frees memory meanwhile
    // reads this one or the one before.
    unsafe {
        // What is free already goes now, as nobody would come back to it.
        mi_collect(true);
        mi_option_set_default(PURGE_DELAY, 0);
    }
}

/// Programs that are started from now on inherit it; they can only take more time.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a system call that no library here has")]
fn leave_small_pages() {
    let (on, unused): (libc::c_ulong, libc::c_ulong) = (1, 0);
    // SAFETY: this sets an attribute of the process (prctl(2)) and touches no memory. A system that does not know it
    // goes on as it was.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, on, unused, unused, unused) };
}

/// Elsewhere the system makes none by itself.
#[cfg(not(target_os = "linux"))]
fn leave_small_pages() {}

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
