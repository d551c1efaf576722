// SPDX-License-Identifier: Apache-2.0

public import Disk
internal import PosixDisk

/// The file system that nodes run on outside of simulations.
public enum MachineDisk {
    /// The machine's files, under a budget of descriptors.
    public static func open() -> any FileSystem { PosixFileSystem() }
}
