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
        // The log may begin inside this batch.
        let first = Int32(clamping: max(0, logStartOffset.distance(from: frame.baseOffset)))
        let found = try unsafe withRecords(of: frame, at: position, in: segment, inflatedSizeMax) {
            records, header throws(BatchError) in
            try unsafe RecordBatch.firstRecord(
                atOrAfter: timestamp, in: records, of: header, from: first)
        }
        return found.map { (frame.baseOffset.advanced(by: Int($0.offsetDelta)), $0.timestamp) }
    }

    /// Calls a function with the records of a batch, opened, and its header.
    ///
    /// - Throws: ``LogError/damaged(_:)`` for a batch that cannot be read, and what the function
    ///   throws as its reason.
    func withRecords<Value>(
        of frame: FrameHeader, at position: UInt64, in segment: Segment, _ inflatedSizeMax: Int,
        _ body: (UnsafeRawBufferPointer, BatchHeader) throws(BatchError) -> Value
    ) throws(LogError) -> Value {
        let payload = try onDisk { () throws(FileError) in
            try segment.store.bytes(at: position, count: frame.payloadLength)
        }
        func damage(_ reason: String) -> LogError {
            .damaged(
                Damage(
                    offsets: frame.baseOffset.rawValue..<frame.endOffset.rawValue,
                    path: segment.store.path, position: position,
                    reason: "the batch cannot be read: \(reason)"))
        }
        guard payload.count == frame.payloadLength else { throw damage("it is cut short") }
        let result = unsafe payload.withUnsafeBytes { bytes -> Result<Value, LogError> in
            do throws(FrameHeader.Flaw) {
                try unsafe frame.check(payload: bytes)
            } catch {
                return .failure(damage("\(error)"))
            }
            let header = unsafe BatchHeader(reading: bytes)
            do throws(BatchError) {
                return try unsafe .success(
                    BatchContent.withRecords(
                        RecordBatch.records(of: bytes), of: header, sizeMax: inflatedSizeMax
                    ) { records throws(BatchError) in try unsafe body(records, header) })
            } catch {
                return .failure(damage("\(error)"))
            }
        }
        return try result.get()
    }
}
