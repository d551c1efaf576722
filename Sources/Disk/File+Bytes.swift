// SPDX-License-Identifier: Apache-2.0

extension File {
    /// Up to `count` bytes from `position` on, copied out; fewer where the file ends.
    ///
    /// For headers and other small things: it allocates what it returns.
    public func bytes(at position: UInt64, count: Int) throws(FileError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 8)
        defer { unsafe buffer.deallocate() }
        let read = try unsafe read(into: buffer, at: position)
        return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: buffer[..<read]))
    }

    /// Writes an array's bytes from `position` on.
    public func write(_ bytes: [UInt8], at position: UInt64) throws(FileError) {
        let result = unsafe bytes.withUnsafeBytes { buffer -> Result<Void, FileError> in
            do throws(FileError) {
                try unsafe write([buffer], at: position)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
