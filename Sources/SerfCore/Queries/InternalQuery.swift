// SPDX-License-Identifier: Apache-2.0

/// The queries that Serf answers itself, and that no application sees.
enum InternalQuery: String, Sendable {
    /// Nothing to answer: the acknowledgement is what is asked for.
    case ping = "_serf_ping"
    case conflict = "_serf_conflict"
    case installKey = "_serf_install-key"
    case useKey = "_serf_use-key"
    case removeKey = "_serf_remove-key"
    case listKeys = "_serf_list-keys"

    /// What the names of internal queries begin with, those of other versions too.
    static let prefix = "_serf_"
}
