// SPDX-License-Identifier: Apache-2.0

public import Records

extension Log {
    /// The offset of the first record that the files hold, or of the next one: where the log begins
    /// for replicas, which go by whole segments.
    public var startOffset: Offset { (closed.first?.header ?? active.header).baseOffset }

    /// Shows readers all that a damaged log has.
    ///
    /// For a log that no other replica has a copy of: nothing more will ever be known of what was
    /// committed.
    public func showAll() {
        precondition(state == .readOnly, "a sound log commits what its owner says")
        commitIndex = lastIndex
        tail.removeThrough(lastIndex)
        highWatermark = max(highWatermark, nextOffset)
    }
}
