// SPDX-License-Identifier: Apache-2.0

internal import Agent

/// What this program is.
public enum Version {
    /// The release.
    public static let number = Release.number
    /// The gRPC packages that the program speaks.
    static let protocols = ["cordwood.v1", "log.v1"]
}
