// SPDX-License-Identifier: Apache-2.0

extension GroupRequest {
    /// The answer that says one error of everything that was asked.
    public func refused(_ error: GroupError) -> GroupResponse {
        switch self {
        case .joinGroup(let request):
            .joinGroup(JoinGroup.Answer(error: error, memberID: request.memberID))
        case .syncGroup: .syncGroup(SyncGroup.Answer(error: error))
        case .heartbeat: .heartbeat(error)
        case .leaveGroup: .leaveGroup(LeaveGroup.Answer(error: error))
        case .offsetCommit(let request):
            .offsetCommit(OffsetCommit.Answer(errors: request.entries.map { _ in error }))
        case .offsetFetch: .offsetFetch(OffsetFetch.Answer(error: error))
        case .describeGroups(let request):
            .describeGroups(
                DescribeGroups.Answer(
                    groups: request.groupIDs.map {
                        DescribeGroups.Group(
                            groupID: $0, error: error, state: .dead, protocolType: "",
                            protocolName: "", members: [])
                    }))
        case .listGroups: .listGroups(ListGroups.Answer(error: error, groups: []))
        case .deleteGroups(let request):
            .deleteGroups(DeleteGroups.Answer(errors: request.groupIDs.map { _ in error }))
        case .offsetDelete: .offsetDelete(OffsetDelete.Answer(error: error))
        }
    }
}
