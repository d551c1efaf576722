// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Records

/// The bytes of a fact, as key and value of a record.
///
/// All numbers are big endian. A text is a u16 length and UTF-8, a blob a u32 length and bytes; a
/// text that may be missing has the length 65535 then, of which no text is.
///
/// ```
/// key    at size field
///         0    1 version = 1
///         1    1 kind: 1 group, 2 offset
///         2    … text group id
///              … offset: text topic, i32 partition
///
/// group  at size field                        member  … text member id
///         0    1 version = 1                          … text instance id, may be missing
///         1    4 generation                           … text client id, text client host
///         5    8 time of the state (ms)               4 session timeout (ms)
///        13    … text protocol type                   4 rebalance timeout (ms)
///              … text protocol name, may be missing   2 number of protocols
///              … text leader's id, may be missing     … as many: text name, blob metadata
///              4 number of members                    … blob assignment
///              … the members
///
/// offset at size field
///         0    1 version = 1
///         1   16 topic id
///        17    8 offset
///        25    4 leader epoch, -1 if unknown
///        29    8 time of the commit (ms)
///        37    8 time of expiry (ms), -1 if there is none
///        45    … text metadata
/// ```
///
/// A record without a value says that nothing holds of its key any more.
extension GroupRecord {
    private static let version: UInt8 = 1

    /// The key's bytes.
    public var key: [UInt8] {
        var bytes: [UInt8] = [Self.version]
        switch self {
        case .group(let id, _):
            bytes.append(1)
            bytes.appendText(id)
        case .offset(let group, let partition, _):
            bytes.append(2)
            bytes.appendText(group)
            bytes.appendText(partition.topic)
            bytes.appendBigEndian(partition.partition)
        }
        return bytes
    }

    /// The value's bytes; `nil` for a fact that ends another.
    public var value: [UInt8]? {
        switch self {
        case .group(_, let metadata): metadata.map(Self.encode)
        case .offset(_, _, let committed): committed.map(Self.encode)
        }
    }

    /// The fact of a record's bytes.
    ///
    /// Allocates no more than a constant times the bytes' size.
    public init(key: [UInt8], value: [UInt8]?) throws(GroupRecordError) {
        var reader = FactReader(key)
        try reader.expectVersion(Self.version)
        let kind = try reader.integer(UInt8.self, "the kind")
        switch kind {
        case 1:
            let id = try reader.text("the group's id")
            try reader.expectEnd("the key")
            self = .group(id: id, try value.map(Self.metadata))
        case 2:
            let group = try reader.text("the group's id")
            let topic = try reader.text("the topic")
            let partition = try reader.integer(Int32.self, "the partition")
            try reader.expectEnd("the key")
            self = .offset(
                group: group, TopicPartition(topic: topic, partition: partition),
                try value.map(Self.committed))
        default:
            throw .unknownKind(kind)
        }
    }

    private static func encode(_ metadata: GroupMetadata) -> [UInt8] {
        var bytes: [UInt8] = [version]
        bytes.appendBigEndian(metadata.generation)
        bytes.appendBigEndian(metadata.stateTime)
        bytes.appendText(metadata.protocolType)
        bytes.appendOptionalText(metadata.protocolName)
        bytes.appendOptionalText(metadata.leaderID)
        bytes.appendBigEndian(UInt32(metadata.members.count))
        for member in metadata.members {
            bytes.appendText(member.memberID)
            bytes.appendOptionalText(member.instanceID)
            bytes.appendText(member.clientID)
            bytes.appendText(member.clientHost)
            bytes.appendBigEndian(Int32(clamping: member.sessionTimeout))
            bytes.appendBigEndian(Int32(clamping: member.rebalanceTimeout))
            bytes.appendBigEndian(UInt16(member.protocols.count))
            for offer in member.protocols {
                bytes.appendText(offer.name)
                bytes.appendBlob(offer.metadata)
            }
            bytes.appendBlob(member.assignment)
        }
        return bytes
    }

    private static func metadata(_ bytes: [UInt8]) throws(GroupRecordError) -> GroupMetadata {
        var reader = FactReader(bytes)
        try reader.expectVersion(version)
        let generation = try reader.integer(Int32.self, "the generation")
        let stateTime = try reader.integer(Int64.self, "the time of the state")
        let protocolType = try reader.text("the protocol type")
        let protocolName = try reader.optionalText("the protocol's name")
        let leaderID = try reader.optionalText("the leader's id")
        let count = try reader.integer(UInt32.self, "the number of members")
        var members: [GroupMetadata.Member] = []
        for _ in 0..<count { members.append(try member(&reader)) }
        try reader.expectEnd("the group")
        return GroupMetadata(
            generation: generation, protocolType: protocolType, protocolName: protocolName,
            leaderID: leaderID, stateTime: stateTime, members: members)
    }

    private static func member(
        _ reader: inout FactReader
    ) throws(GroupRecordError) -> GroupMetadata.Member {
        var member = GroupMetadata.Member(
            memberID: try reader.text("a member's id"),
            instanceID: try reader.optionalText("an instance id"),
            clientID: try reader.text("a client's id"),
            clientHost: try reader.text("a client's host"),
            sessionTimeout: Int64(try reader.integer(Int32.self, "a session timeout")),
            rebalanceTimeout: Int64(try reader.integer(Int32.self, "a rebalance timeout")),
            protocols: [], assignment: [])
        guard member.sessionTimeout >= 0, member.rebalanceTimeout >= 0 else {
            throw .malformed("a timeout below 0")
        }
        let count = try reader.integer(UInt16.self, "the number of protocols")
        for _ in 0..<count {
            let name = try reader.text("a protocol's name")
            member.protocols.append(
                JoinGroup.Offer(name: name, metadata: try reader.blob("a protocol's metadata")))
        }
        member.assignment = try reader.blob("an assignment")
        return member
    }

    private static func encode(_ committed: CommittedOffset) -> [UInt8] {
        var bytes: [UInt8] = [version]
        bytes.appendBigEndian(committed.topicID)
        bytes.appendBigEndian(committed.offset.rawValue)
        bytes.appendBigEndian(committed.leaderEpoch)
        bytes.appendBigEndian(committed.commitTime.rawValue)
        bytes.appendBigEndian(committed.expireTime?.rawValue ?? -1)
        bytes.appendText(committed.metadata)
        return bytes
    }

    private static func committed(_ bytes: [UInt8]) throws(GroupRecordError) -> CommittedOffset {
        var reader = FactReader(bytes)
        try reader.expectVersion(version)
        let topicID = try reader.integer(UInt128.self, "the topic's id")
        let offset = try reader.integer(Int64.self, "the offset")
        let leaderEpoch = try reader.integer(Int32.self, "the leader epoch")
        let commitTime = try reader.integer(Int64.self, "the time of the commit")
        let expireTime = try reader.integer(Int64.self, "the time of expiry")
        guard expireTime >= -1 else { throw .malformed("a time of expiry below -1") }
        let metadata = try reader.text("the metadata")
        try reader.expectEnd("the offset")
        return CommittedOffset(
            topicID: topicID, offset: Offset(offset), leaderEpoch: leaderEpoch,
            metadata: metadata, commitTime: Timestamp(milliseconds: commitTime),
            expireTime: expireTime < 0 ? nil : Timestamp(milliseconds: expireTime))
    }
}

extension [UInt8] {
    /// Appends a text of at most 65,534 bytes.
    fileprivate mutating func appendText(_ text: String) {
        let size = text.utf8.count
        precondition(size < Int(UInt16.max), "a text of \(size) bytes")
        appendBigEndian(UInt16(size))
        append(contentsOf: text.utf8)
    }

    fileprivate mutating func appendOptionalText(_ text: String?) {
        if let text { appendText(text) } else { appendBigEndian(UInt16.max) }
    }

    fileprivate mutating func appendBlob(_ blob: [UInt8]) {
        appendBigEndian(UInt32(blob.count))
        append(contentsOf: blob)
    }
}
