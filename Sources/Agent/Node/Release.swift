// SPDX-License-Identifier: Apache-2.0

/// What this program is.
public enum Release {
    /// The release's number.
    public static let number = "0.1.0"
}
