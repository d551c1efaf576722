// SPDX-License-Identifier: Apache-2.0

/// What a group looks like from outside.
extension Group {
    var description: DescribeGroups.Group {
        let agreement: Phase.Agreement? =
            if case .stable(let stable) = phase { stable.agreement } else { nil }
        return DescribeGroups.Group(
            groupID: id, error: nil, state: phase.name, protocolType: protocolType,
            protocolName: agreement?.protocolName ?? "",
            members: members.values.map { member in
                DescribeGroups.Member(
                    memberID: member.id, instanceID: member.instanceID,
                    clientID: member.clientID, clientHost: member.clientHost,
                    metadata: agreement.map { member.metadata(for: $0.protocolName) } ?? [],
                    assignment: agreement == nil ? [] : member.assignment)
            })
    }

    var listing: ListGroups.Group {
        ListGroups.Group(
            groupID: id, protocolType: protocolType, state: phase.name, memberCount: members.count)
    }

    var overview: GroupOverview {
        let isStable = phase.name == .stable && protocolType == "consumer"
        var overview = GroupOverview(
            groupID: id, state: phase.name, protocolType: protocolType,
            protocolName: phase.agreement?.protocolName ?? "", generation: generation, members: [],
            commits: [])
        for member in members.values {
            let assignment = isStable ? ConsumerAssignment(member.assignment) : nil
            overview.members.append(
                GroupOverview.Member(
                    memberID: member.id, instanceID: member.instanceID,
                    clientID: member.clientID, clientHost: member.clientHost,
                    partitions: assignment?.partitions.sorted() ?? []))
        }
        offsets.walk { partition, committed in
            overview.commits.append(
                GroupOverview.Commit(partition: partition, committed: committed))
        }
        return overview
    }
}
