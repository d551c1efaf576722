// SPDX-License-Identifier: Apache-2.0

extension Log {
    /// Changes the settings; they act from now on.
    ///
    /// Nothing that readers have seen is taken back: what a relaxed rule has committed is synced
    /// before the strict one holds.
    public func configure(_ settings: LogSettings) throws(LogError) {
        guard state == .open else {
            self.settings = settings
            return
        }
        precondition(
            (self.settings.commitRule == .byCaller) == (settings.commitRule == .byCaller),
            "a log is a replica's for as long as it is open, or never")
        switch (self.settings.commitRule, settings.commitRule) {
        case (.whenWritten, .whenSynced):
            precondition(!ticketIsOut, "the commit rule changes between two syncs")
            try sync()
        case (.whenSynced, .whenWritten):
            try makeTermDurable()
        default:
            break
        }
        self.settings = settings
        producers.limits = settings.producerLimits
        if settings.commitRule == .whenWritten { highWatermark = nextOffset }
        checkInvariants()
    }
}
