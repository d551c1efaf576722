// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// That the rig shows what it claims, with real agents alone.
extension AgentTests {
    @Test("the rig: agents join, fail behind a cut proxy, and come back when it is healed")
    func proxies() async throws {
        try await Rig.run(AgentBinary.all[0]) { rig in
            let (first, firstProxy) = try await rig.agentBehindProxy("first") {
                $0.settings["reconnect_interval"] = "1s"
            }
            let (second, secondProxy) = try await rig.agentBehindProxy("second") {
                $0.settings["reconnect_interval"] = "1s"
            }
            let joined = try await first.command("join", [second.endpoint])
            try #require(joined.status == 0, "\(joined.output)")
            try await wait(until: [second], see: "first", as: "alive", within: .seconds(5))
            firstProxy.cut()
            secondProxy.cut()
            try await wait(until: [second], see: "first", as: "failed", within: .seconds(20))
            try await wait(until: [first], see: "second", as: "failed", within: .seconds(20))
            firstProxy.heal()
            secondProxy.heal()
            let both = ["first": "alive", "second": "alive"]
            try await wait(until: [first, second], list: both, within: .seconds(30))
        }
    }

    @Test("the rig: a stream tells of events, and the log is kept")
    func streams() async throws {
        try await Rig.run(AgentBinary.all[0]) { rig in
            let agent = try await rig.agent("alpha") { $0.tags["role"] = "seed" }
            let ipc = try await agent.ipc()
            var records = try await ipc.records(.stream("user")).makeAsyncIterator()
            try await ipc.ask(.event("deploy", payload: [1, 2, 3], mayCoalesce: false))
            let record = await records.next()
            #expect(record?["Name"]?.text == "deploy")
            #expect(record?["Payload"]?.bytes == [1, 2, 3])
            #expect(try await ipc.member("alpha")?.tags == ["role": "seed"])
            #expect(agent.log.text.contains("Serf agent starting"))
            await #expect(throws: SerfIPC.Refused.self) {
                try await ipc.join(["127.0.0.1:1"])
            }
        }
    }
}
