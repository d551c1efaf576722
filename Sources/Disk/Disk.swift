// SPDX-License-Identifier: Apache-2.0

// The door to files.
//
// `FileSystem` and `File` are all that the storage engine asks of a disk, and `FileError` is all that
// it hears of failure: the operation, the path, errno, and the reason it acts upon.
//
// Two rooms stand behind the door: PosixDisk in production, SimulatedDisk in tests. The engine cannot
// tell which, so what the simulator finds is true of the code that runs.
