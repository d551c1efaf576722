// SPDX-License-Identifier: Apache-2.0

/// What this program is.
public enum Version {
    /// The release.
    public static let number = "0.1.0"
    /// The gRPC packages that the program speaks.
    static let protocols = ["cordwood.v1", "log.v1"]
}
