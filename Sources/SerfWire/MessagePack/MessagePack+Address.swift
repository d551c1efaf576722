// SPDX-License-Identifier: Apache-2.0

extension MessagePackReader {
    /// An address of 4 or 16 bytes.
    mutating func address() throws(WireError) -> IPAddress {
        let bytes = unsafe try raw()
        guard let address = unsafe IPAddress(bytes: bytes) else {
            throw .malformed("an address has neither 4 nor 16 bytes")
        }
        return address
    }

    /// An address, or none where it is empty.
    mutating func addressIfAny() throws(WireError) -> IPAddress? {
        let bytes = unsafe try raw()
        guard unsafe !bytes.isEmpty else { return nil }
        guard let address = unsafe IPAddress(bytes: bytes) else {
            throw .malformed("an address has neither 4 nor 16 bytes")
        }
        return address
    }
}

extension MessagePackWriter {
    mutating func write(_ address: IPAddress) {
        write(address.bytes)
    }
}
