// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

extension Cordwood_V1_SendEventRequest {
    /// The payload as plain bytes.
    public var payloadBytes: [UInt8] {
        get { [UInt8](payload) }
        set { payload = Data(newValue) }
    }
}

extension Cordwood_V1_QueryMembersRequest {
    /// The payload as plain bytes.
    public var payloadBytes: [UInt8] {
        get { [UInt8](payload) }
        set { payload = Data(newValue) }
    }
}

extension Cordwood_V1_QueryAnswer {
    /// The payload as plain bytes.
    public var payloadBytes: [UInt8] {
        get { [UInt8](payload) }
        set { payload = Data(newValue) }
    }
}

extension Cordwood_V1_ChangeKeyRequest {
    /// The key as plain bytes.
    public var keyBytes: [UInt8] {
        get { [UInt8](key) }
        set { key = Data(newValue) }
    }
}
