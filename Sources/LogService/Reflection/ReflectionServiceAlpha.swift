// SPDX-License-Identifier: Apache-2.0

internal import GRPCCore
internal import LogAPI
internal import SwiftProtobuf

/// grpc.reflection.v1alpha.ServerReflection: lists services and hands out their descriptions.
struct ReflectionServiceAlpha: Grpc_Reflection_V1alpha_ServerReflection.SimpleServiceProtocol {
    private let index: DescriptorIndex

    init(_ index: DescriptorIndex) {
        self.index = index
    }

    func serverReflectionInfo(
        request: RPCAsyncSequence<Grpc_Reflection_V1alpha_ServerReflectionRequest, any Error>,
        response: RPCWriter<Grpc_Reflection_V1alpha_ServerReflectionResponse>,
        context: ServerContext
    ) async throws {
        for try await question in request {
            var message = Grpc_Reflection_V1alpha_ServerReflectionResponse()
            message.validHost = question.host
            message.originalRequest = question
            message.messageResponse = try answer(question)
            try await response.write(message)
        }
    }

    private func answer(
        _ request: Grpc_Reflection_V1alpha_ServerReflectionRequest
    ) throws -> Grpc_Reflection_V1alpha_ServerReflectionResponse.OneOf_MessageResponse {
        let question: DescriptorIndex.Question =
            switch request.messageRequest {
            case .listServices: .services
            case .fileByFilename(let name): .file(name: name)
            case .fileContainingSymbol(let symbol): .symbol(symbol)
            case .fileContainingExtension(let it): .fileOfExtension(of: it.containingType)
            case .allExtensionNumbersOfType(let type): .extensionNumbers(of: type)
            case nil: .nothing
            }
        switch try index.answer(question) {
        case .services(let names):
            return .listServicesResponse(
                .with { $0.service = names.map { name in .with { $0.name = name } } })
        case .files(let files):
            return .fileDescriptorResponse(.with { $0.setFiles(files) })
        case .extensionNumbers(let type):
            return .allExtensionNumbersResponse(.with { $0.baseTypeName = type })
        case .notFound(let message):
            return .errorResponse(Self.error(.notFound, message))
        case .malformed(let message):
            return .errorResponse(Self.error(.invalidArgument, message))
        }
    }

    private static func error(
        _ code: RPCError.Code, _ message: String
    ) -> Grpc_Reflection_V1alpha_ErrorResponse {
        .with {
            $0.errorCode = Int32(clamping: code.rawValue)
            $0.errorMessage = message
        }
    }
}
