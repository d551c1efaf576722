// SPDX-License-Identifier: Apache-2.0

public import SerfCore

/// How far apart the members are: which intervals and timeouts fit.
public enum GossipProfile: String, Sendable, CaseIterable {
    /// One site: a failure is known within seconds.
    case lan
    /// Several sites over the internet.
    case wan
    /// One machine, for tests and demonstrations.
    case local

    /// The profile's values.
    public var settings: SerfSettings {
        switch self {
        case .lan: .lan
        case .wan: .wan
        case .local: .local
        }
    }
}
