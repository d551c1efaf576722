// SPDX-License-Identifier: Apache-2.0

import Compression

/// Opens bytes as a codec's, the first byte choosing it; and packs and opens them again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCodecs(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count >= 1 else { return 0 }
    let limit = 256 << 10
    let codec = Codec.allCases[Int(start[0]) % Codec.allCases.count]
    guard codec.isSupported else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    do {
        let opened = try codec.decompress(bytes, limit: limit)
        precondition(opened.count <= limit)
    } catch {
        precondition(!"\(error)".isEmpty)
    }
    do {
        let packed = try codec.compress(bytes)
        let again = try packed.withUnsafeBytes { try codec.decompress($0, limit: bytes.count) }
        precondition(again.elementsEqual(bytes), "\(codec) does not open what it packed")
    } catch {
        preconditionFailure("\(codec) refuses what it packed: \(error)")
    }
    return 0
}
