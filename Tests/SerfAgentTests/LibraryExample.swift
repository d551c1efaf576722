// SPDX-License-Identifier: Apache-2.0

import Logging
import Membership
import SerfCore

func watch(from host: String, seeds: [String], logger: Logger) async throws {
    var settings = SerfNodeSettings(name: "db-1")
    settings.bindHost = host
    settings.seeds = seeds  // asked again and again; to be alone is no error
    settings.tags = ["role": "db"]
    let node = SerfNode(settings, logger: logger)
    let events = node.events()
    async let served: Void = node.run()  // until it leaves or is cancelled
    for await case .event(.joined(let members)) in events {
        for member in members { logger.info("\(member.name) \(member.endpoint) \(member.tags)") }
    }
    try await served
}
