// SPDX-License-Identifier: Apache-2.0

public import Faults

/// Who owns which partition, and how far each group has come.
public final class GroupCoordinator: Sendable {
    init() {}

    /// All groups, by id.
    ///
    /// - Throws: ``Faults/ErrorCode/overloaded`` when too many wait, ``Faults/ErrorCode/shuttingDown``.
    public func listGroups() async throws(Fault) -> [GroupListing] {
        throw Fault(.groupNotFound, "groups are not kept yet")
    }

    /// A group with its members, its offsets, and how far behind they are.
    ///
    /// - Throws: ``Faults/ErrorCode/groupNotFound``.
    public func describeGroup(_ id: String) async throws(Fault) -> GroupDescription {
        throw Fault(.groupNotFound, "groups are not kept yet")
    }

    /// Puts the committed offsets of a group without members elsewhere.
    ///
    /// - Parameters:
    ///   - topic: The topic; the group need not have committed anything of it.
    ///   - partitions: The numbers; all of the topic's when `nil`.
    ///   - target: Where to. An offset outside of a partition is moved to its nearer bound.
    ///   - validateOnly: Say what would be done and change nothing.
    /// - Returns: What was changed, by partition.
    /// - Throws: ``Faults/ErrorCode/groupNotEmpty``, ``Faults/ErrorCode/invalidGroup``,
    ///   ``Faults/ErrorCode/topicNotFound``, ``Faults/ErrorCode/partitionNotFound``.
    public func resetOffsets(
        of group: String, topic: String, partitions: [Int]?, to target: OffsetQuery,
        validateOnly: Bool = false
    ) async throws(Fault) -> [OffsetReset] {
        throw Fault(.groupNotFound, "groups are not kept yet")
    }

    /// Deletes a group without members, and its offsets.
    ///
    /// - Throws: ``Faults/ErrorCode/groupNotFound``, ``Faults/ErrorCode/groupNotEmpty``.
    public func deleteGroup(_ id: String) async throws(Fault) {
        throw Fault(.groupNotFound, "groups are not kept yet")
    }
}
