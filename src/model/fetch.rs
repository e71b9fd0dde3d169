//! Cache lines that will be needed, asked for before they are: the tables of a long capture are larger
//! than any cache, and where several packets or messages are at hand, the misses of one need not wait for
//! those of another. Nothing is read and nobody waits. The only file that names `prefetch_index`
//! (`docs/decisions/0014-asking-ahead.md`).

/// Octets that a core fetches together.
const CACHE_LINE: usize = 64;

/// Asks for the line where a value begins.
#[inline]
pub fn line_of<T>(value: &T) {
    prefetch_index::prefetch_index(std::slice::from_ref(value), 0);
}

/// Asks for the line where an element begins. An index that leads nowhere does no harm.
#[inline]
pub fn element<T>(of: &[T], index: usize) {
    prefetch_index::prefetch_index(of, index);
}

/// Asks for every line of elements that are smaller than one.
#[inline]
pub fn all<T>(of: &[T]) {
    let step = CACHE_LINE.checked_div(size_of::<T>()).unwrap_or(1).max(1);
    for index in (0..of.len()).step_by(step) {
        element(of, index);
    }
}
