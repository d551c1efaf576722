// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Grpc_Reflection_V1_FileDescriptorResponse {
    /// Sets the serialized files.
    public mutating func setFiles(_ files: [[UInt8]]) {
        fileDescriptorProto = files.map { Data($0) }
    }
}

extension Grpc_Reflection_V1alpha_FileDescriptorResponse {
    /// Sets the serialized files.
    public mutating func setFiles(_ files: [[UInt8]]) {
        fileDescriptorProto = files.map { Data($0) }
    }
}
