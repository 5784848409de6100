//! How the system backs the memory of a process that serves.

/// Has the system back memory with ordinary pages. The allocator asks it for pages of 2 MiB, of which a host with some
/// instances uses a fraction each. Programs that are started from now on inherit that; they can only take more time.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a system call that no library here has")]
pub(super) fn keep_small() {
    let (on, unused): (libc::c_ulong, libc::c_ulong) = (1, 0);
    // SAFETY: this sets an attribute of the process (prctl(2)) and touches no memory. A system that does not know it
    // goes on as it was.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, on, unused, unused, unused) };
}

/// Nothing to do where the allocator does not ask for large pages.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_small() {}
