// SPDX-License-Identifier: Apache-2.0

import Bytes
import ClusterCore
import CommitLog
import GroupCore

/// Reads bytes as what the first byte says: envelopes and headers of files, events of the cluster,
/// records of groups, and what members of a group tell each other.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStoredForms(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 2 else { return 0 }
    var bytes = [UInt8](UnsafeRawBufferPointer(start: start + 2, count: count - 2))
    switch start[0] % 6 {
    case 0: readEnvelope(&bytes)
    case 1: readStoreHeader(&bytes)
    case 2: readEvent(bytes)
    case 3: readGroupRecord(bytes, split: Int(start[1]))
    case 4: _ = ConsumerSubscription(bytes)
    default: _ = ConsumerAssignment(bytes)
    }
    return 0
}

/// An envelope with its checksum set right, and its payload.
private func readEnvelope(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { bytes in
        let group: UInt64 = bytes.count >= 24 ? bytes.bigEndian(at: 16) : 0
        if bytes.count >= FrameHeader.size {
            let sum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<76]))
            bytes.storeBigEndian(sum, at: 76)
        }
        let whole = UnsafeRawBufferPointer(bytes)
        do throws(FrameHeader.Flaw) {
            let header = try FrameHeader(checking: whole, group: group, salt: nil)
            guard header.frameLength <= whole.count else { return }
            let payload = whole[FrameHeader.size..<header.frameLength]
            try header.check(payload: UnsafeRawBufferPointer(rebasing: payload))
        } catch {
            precondition(!"\(error)".isEmpty)
        }
    }
}

private func readStoreHeader(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { bytes in
        if bytes.count >= StoreHeader.size {
            let sum = CRC32C.checksum(
                UnsafeRawBufferPointer(rebasing: bytes[..<(StoreHeader.size - 4)]))
            bytes.storeBigEndian(sum, at: StoreHeader.size - 4)
        }
        do throws(StoreHeader.Flaw) {
            _ = try StoreHeader(checking: UnsafeRawBufferPointer(bytes), group: nil)
        } catch {
            precondition(!"\(error)".isEmpty)
        }
    }
}

private func readEvent(_ bytes: [UInt8]) {
    guard let event = ClusterEvent(bytes) else { return }
    precondition(ClusterEvent(event.encoded) == event, "\(event) is not what was written")
}

private func readGroupRecord(_ bytes: [UInt8], split: Int) {
    let key = [UInt8](bytes.prefix(split))
    let value = split & 1 == 0 ? [UInt8](bytes.dropFirst(split)) : nil
    do throws(GroupRecordError) {
        let record = try GroupRecord(key: key, value: value)
        let again = try GroupRecord(key: record.key, value: record.value)
        precondition(again == record, "\(record) is not what was written")
    } catch {
        precondition(!"\(error)".isEmpty)
    }
}
