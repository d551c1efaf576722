// SPDX-License-Identifier: Apache-2.0

internal import KafkaProtocol

/// ApiVersions: which requests are served, and in which versions.
extension KafkaConnection {
    static func apiVersions(_ request: ApiVersionsRequest) -> ApiVersionsResponse {
        var response = ApiVersionsResponse()
        response.apiKeys = ApiKey.allCases.map(versionRow)
        return response
    }

    static func versionRow(_ key: ApiKey) -> ApiVersionsResponse.ApiVersion {
        var row = ApiVersionsResponse.ApiVersion()
        row.apiKey = key.rawValue
        row.minVersion = key.versions.lowerBound
        row.maxVersion = key.versions.upperBound
        return row
    }
}
