// SPDX-License-Identifier: Apache-2.0

internal import Disk

/// Runs file operations and says of their errors that the log is as it was.
func onDisk<Value>(_ body: () throws(FileError) -> Value) throws(LogError) -> Value {
    do throws(FileError) {
        return try body()
    } catch {
        throw .file(error)
    }
}
