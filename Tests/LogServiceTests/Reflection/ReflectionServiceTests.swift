// SPDX-License-Identifier: Apache-2.0

import GRPCCore
import LogAPI
import SwiftProtobuf
import Testing

@testable import LogService

@Suite("Reflection", .timeLimit(.minutes(1)))
struct ReflectionServiceTests {
    private let index = DescriptorIndex(services: ["log.v1.Log", "cordwood.v1.LogService"])

    private func files(_ question: DescriptorIndex.Question) throws -> [String] {
        guard case .files(let files) = try index.answer(question) else { return [] }
        return try files.map { try Google_Protobuf_FileDescriptorProto(serializedBytes: $0).name }
    }

    @Test("services are listed by name")
    func services() throws {
        #expect(
            try index.answer(.services) == .services(["cordwood.v1.LogService", "log.v1.Log"]))
    }

    @Test(
        "every kind of symbol leads to its file",
        arguments: [
            "log.v1.Log", "log.v1.Log.ProduceStream", "log.v1.Record", "log.v1.Record.value",
        ])
    func symbols(symbol: String) throws {
        #expect(try files(.symbol(symbol)) == ["log/v1/log.proto"])
    }

    @Test("enums, their values and oneofs are symbols too")
    func innerSymbols() throws {
        let health = ["grpc/health/v1/health.proto"]
        #expect(try files(.symbol("grpc.health.v1.HealthCheckResponse.ServingStatus")) == health)
        #expect(try files(.symbol("grpc.health.v1.HealthCheckResponse.NOT_SERVING")) == health)
        #expect(try files(.symbol("cordwood.v1.StartPosition.start")).count == 2)
    }

    @Test("the details of errors are described, so that tools can show them")
    func errorDetails() throws {
        for symbol in ["google.rpc.ErrorInfo", "google.rpc.LocalizedMessage"] {
            #expect(try files(.symbol(symbol)) == ["google/rpc/error_details.proto"])
        }
    }

    @Test("a file comes with what it imports")
    func dependencies() throws {
        let expected = ["cordwood/v1/log_service.proto", "cordwood/v1/records.proto"]
        #expect(try files(.file(name: "cordwood/v1/log_service.proto")) == expected)
        #expect(try files(.symbol("cordwood.v1.LogService")) == expected)
    }

    @Test("what is not there is not found, and an empty question is malformed")
    func notFound() throws {
        let questions: [DescriptorIndex.Question] = [
            .symbol("log.v1.Nothing"), .file(name: "../../etc/passwd"),
            .fileOfExtension(of: "log.v1.Record"), .extensionNumbers(of: "log.v1.Nothing"),
        ]
        for question in questions {
            guard case .notFound = try index.answer(question) else {
                Issue.record("\(question) was found")
                continue
            }
        }
        guard case .malformed = try index.answer(.nothing) else {
            Issue.record("nothing was answered")
            return
        }
        #expect(
            try index.answer(.extensionNumbers(of: "log.v1.Record"))
                == .extensionNumbers(of: "log.v1.Record"))
    }

    @Test("every service that the protos declare is described with its methods")
    func complete() throws {
        for file in DescriptorSet.files() {
            for service in file.service {
                let name = "\(file.package).\(service.name)"
                #expect(try files(.symbol(name)).first == file.name)
                #expect(!service.method.isEmpty)
            }
        }
        #expect(DescriptorSet.files().flatMap(\.service).count == 8)
    }

    @Test("v1 answers each question on the stream in turn")
    func v1() async throws {
        try await withServer([ReflectionService(index)]) { client in
            let reflection = Grpc_Reflection_V1_ServerReflection.Client(wrapping: client)
            try await reflection.serverReflectionInfo { writer in
                try await writer.write(.with { $0.listServices = "" })
                try await writer.write(.with { $0.fileContainingSymbol = "log.v1.Log" })
                try await writer.write(.with { $0.fileByFilename = "none.proto" })
                try await writer.write(.with { $0.host = "h" })
            } onResponse: { response in
                var answers: [Grpc_Reflection_V1_ServerReflectionResponse] = []
                for try await answer in response.messages { answers.append(answer) }
                try #require(answers.count == 4)
                #expect(answers[0].listServicesResponse.service.map(\.name).contains("log.v1.Log"))
                #expect(answers[1].fileDescriptorResponse.fileDescriptorProto.count == 1)
                #expect(answers[2].errorResponse.errorCode == 5)
                #expect(answers[3].errorResponse.errorCode == 3)
                #expect(answers[3].validHost == "h")
                #expect(answers[3].originalRequest.host == "h")
            }
        }
    }

    @Test("v1alpha answers like v1")
    func v1alpha() async throws {
        try await withServer([ReflectionServiceAlpha(index)]) { client in
            let reflection = Grpc_Reflection_V1alpha_ServerReflection.Client(wrapping: client)
            try await reflection.serverReflectionInfo { writer in
                try await writer.write(.with { $0.listServices = "" })
                try await writer.write(.with { $0.fileContainingSymbol = "cordwood.v1.Topic" })
                try await writer.write(.with { $0.allExtensionNumbersOfType = "log.v1.Record" })
            } onResponse: { response in
                var answers: [Grpc_Reflection_V1alpha_ServerReflectionResponse] = []
                for try await answer in response.messages { answers.append(answer) }
                try #require(answers.count == 3)
                #expect(answers[0].listServicesResponse.service.count == 2)
                #expect(answers[1].fileDescriptorResponse.fileDescriptorProto.count == 1)
                #expect(answers[2].allExtensionNumbersResponse.baseTypeName == "log.v1.Record")
            }
        }
    }
}
