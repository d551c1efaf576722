// SPDX-License-Identifier: Apache-2.0

internal import Logging

/// What stands behind a `Logger`: its own level and metadata, and the shared output.
struct LineLogHandler: LogHandler {
    let label: String
    let output: LogOutput
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(
        label: String, output: LogOutput, logLevel: Logger.Level,
        metadataProvider: Logger.MetadataProvider?
    ) {
        self.label = label
        self.output = output
        self.logLevel = logLevel
        self.metadataProvider = metadataProvider
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        // The nearer to the call, the stronger: provider, logger, call.
        var merged = metadataProvider?.get() ?? [:]
        merged.merge(metadata) { $1 }
        if let own = event.metadata { merged.merge(own) { $1 } }
        output.log(LogRecord(event, metadata: merged, label: label, time: output.time()))
    }
}
