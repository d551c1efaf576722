// SPDX-License-Identifier: Apache-2.0

import KafkaProtocol
import Testing

@Suite("The table of requests")
struct ApiKeyTests {
    @Test("Produce is listed from 0 on, since older clients compress nothing otherwise")
    func produce() {
        #expect(ApiKey.produce.versions == 0...11)
    }

    @Test("flexible versions have the headers with tagged fields")
    func flexibleHeaders() {
        #expect(ApiKey.fetch.requestHeaderVersion(for: 11) == 1)
        #expect(ApiKey.fetch.responseHeaderVersion(for: 11) == 0)
        #expect(ApiKey.fetch.requestHeaderVersion(for: 12) == 2)
        #expect(ApiKey.fetch.responseHeaderVersion(for: 12) == 1)
        #expect(ApiKey.offsetDelete.requestHeaderVersion(for: 0) == 1)
    }

    @Test("an answer about versions never has tagged fields in its header")
    func versionsHeader() {
        for version in ApiKey.apiVersions.versions {
            #expect(ApiKey.apiVersions.responseHeaderVersion(for: version) == 0)
        }
        #expect(ApiKey.apiVersions.requestHeaderVersion(for: 3) == 2)
    }

    @Test("no key of transactions, security or other brokers is listed")
    func unlisted() {
        for key in [4, 5, 6, 7, 17, 24, 25, 26, 28, 29, 36, 68, 71, 76] as [Int16] {
            #expect(ApiKey(rawValue: key) == nil)
        }
    }
}
