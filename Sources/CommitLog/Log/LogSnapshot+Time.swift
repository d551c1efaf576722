// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Disk
public import Records

extension LogSnapshot {
    /// The first record at or after a time, by offset order; `nil` if all are older.
    ///
    /// Opens the one batch that holds it, and blocks on the disk.
    ///
    /// - Parameter inflatedSizeMax: The most bytes that a compressed batch may open to.
    public func firstRecord(
        atOrAfter timestamp: Timestamp, inflatedSizeMax: Int
    ) throws(LogError) -> (offset: Offset, timestamp: Timestamp)? {
        for number in 0..<segmentCount {
            let segment = segment(number)
            guard segment.maxTimestamp >= timestamp else { continue }
            let found = try firstRecord(
                atOrAfter: timestamp, in: segment, inflatedSizeMax: inflatedSizeMax)
            if let found { return found }
        }
        return nil
    }

    private func firstRecord(
        atOrAfter timestamp: Timestamp, in segment: Segment, inflatedSizeMax: Int
    ) throws(LogError) -> (offset: Offset, timestamp: Timestamp)? {
        let place = try onDisk { () throws(FileError) in try segment.place(of: timestamp) }
        let scanner = StoreScanner(
            segment.store, group: segment.header.group, salt: segment.header.salt,
            from: place.position, end: segment.size)
        while true {
            let item = try onDisk { () throws(FileError) in
                try scanner.next(checkingPayloads: false)
            }
            guard case .frame(let frame) = item else { return nil }
            guard frame.kind == .batch, frame.maxTimestamp >= timestamp,
                frame.endOffset > logStartOffset
            else { continue }
            guard frame.endOffset <= highWatermark else { return nil }
            let position = scanner.position - UInt64(frame.payloadLength)
            let found = try firstRecord(
                atOrAfter: timestamp, of: frame, at: position, in: segment, inflatedSizeMax)
            if let found { return found }
        }
    }

    private func firstRecord(
        atOrAfter timestamp: Timestamp, of frame: FrameHeader, at position: UInt64,
        in segment: Segment, _ inflatedSizeMax: Int
    ) throws(LogError) -> (offset: Offset, timestamp: Timestamp)? {
        let payload = try onDisk { () throws(FileError) in
            try segment.store.bytes(at: position, count: frame.payloadLength)
        }
        let damage = LogError.damaged(
            Damage(
                offsets: frame.baseOffset.rawValue..<frame.endOffset.rawValue,
                path: segment.store.path, position: position, reason: "the batch cannot be read"))
        guard payload.count == frame.payloadLength else { throw damage }
        // The log may begin inside this batch.
        let first = Int32(max(0, logStartOffset.distance(from: frame.baseOffset)))
        let result = unsafe payload.withUnsafeBytes {
            bytes -> Result<(offsetDelta: Int32, timestamp: Timestamp)?, LogError> in
            let header = unsafe BatchHeader(reading: bytes)
            guard unsafe RecordBatch.checksum(of: bytes) == header.checksum else {
                return .failure(damage)
            }
            do throws(BatchError) {
                return try unsafe .success(
                    Self.find(
                        timestamp, in: RecordBatch.records(of: bytes), header, from: first,
                        inflatedSizeMax))
            } catch {
                return .failure(damage)
            }
        }
        return try result.get().map {
            (frame.baseOffset.advanced(by: Int($0.offsetDelta)), $0.timestamp)
        }
    }

    private static func find(
        _ timestamp: Timestamp, in records: UnsafeRawBufferPointer, _ header: BatchHeader,
        from first: Int32, _ inflatedSizeMax: Int
    ) throws(BatchError) -> (offsetDelta: Int32, timestamp: Timestamp)? {
        guard header.attributes.codec != CompressionCodec.none else {
            return try unsafe RecordBatch.firstRecord(
                atOrAfter: timestamp, in: records, of: header, from: first)
        }
        let inflated = try unsafe BatchContent.inflate(
            records, of: header, sizeMax: inflatedSizeMax)
        let result = unsafe inflated.withUnsafeBytes {
            bytes -> Result<(offsetDelta: Int32, timestamp: Timestamp)?, BatchError> in
            do throws(BatchError) {
                return try unsafe .success(
                    RecordBatch.firstRecord(
                        atOrAfter: timestamp, in: bytes, of: header, from: first))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
