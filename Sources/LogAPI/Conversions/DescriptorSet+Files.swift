// SPDX-License-Identifier: Apache-2.0

import Foundation
public import SwiftProtobuf

extension DescriptorSet {
    /// The descriptions of all files, each behind those it imports.
    ///
    /// Decoded at each call: some tens of microseconds.
    public static func files() -> [Google_Protobuf_FileDescriptorProto] {
        guard let bytes = Data(base64Encoded: base64) else {
            preconditionFailure("the generated descriptor set is base64")
        }
        do {
            return try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes).file
        } catch {
            preconditionFailure("the generated descriptor set is a FileDescriptorSet: \(error)")
        }
    }
}
