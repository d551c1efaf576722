// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol
internal import Logging

/// DescribeLogDirs: how much room partitions take, and how much there is.
extension RequestHandlers {
    func describeLogDirs(
        _ request: DescribeLogDirsRequest, _ context: RequestContext
    ) async -> DescribeLogDirsResponse {
        var response = DescribeLogDirsResponse()
        var directory = DescribeLogDirsResponse.DescribeLogDirsResult()
        directory.logDir = broker.dataDirectory
        directory.totalBytes = -1
        directory.usableBytes = -1
        do throws(Fault) {
            let space = try await broker.space()
            directory.totalBytes = Int64(clamping: space.total)
            directory.usableBytes = Int64(clamping: space.free)
        } catch {
            logger.warning(
                "cannot tell how much room the disk has", metadata: ["error": "\(error)"])
        }
        // Partitions that are not here have no row: the protocol has no error for them.
        for (name, numbers) in wanted(request) {
            var row = DescribeLogDirsResponse.DescribeLogDirsTopic()
            row.name = name
            for number in numbers {
                guard let size = await size(of: name, number) else { continue }
                var partition = DescribeLogDirsResponse.DescribeLogDirsPartition()
                partition.partitionIndex = Int32(clamping: number)
                partition.partitionSize = size
                partition.offsetLag = 0
                partition.isFutureKey = false
                row.partitions.append(partition)
            }
            if !row.partitions.isEmpty { directory.topics.append(row) }
        }
        response.results = [directory]
        return response
    }

    private func wanted(_ request: DescribeLogDirsRequest) -> [(String, [Int])] {
        guard let topics = request.topics else {
            return broker.topics.map { ($0.name, Array(0..<$0.partitionCount)) }
        }
        // Each partition once, however often it is named: an answer is not larger than what is here.
        var numbers: [String: Set<Int32>] = [:]
        for topic in topics { numbers[topic.topic, default: []].formUnion(topic.partitions) }
        return numbers.keys.sorted().map { ($0, numbers[$0, default: []].sorted().map(Int.init)) }
    }

    private func size(of topic: String, _ number: Int) async -> Int64? {
        let partition: Partition
        do throws(Fault) {
            partition = try broker.partition(topic, number)
        } catch {
            // Who asks for what is not here is told nothing of it.
            return nil
        }
        return Int64(clamping: await partition.describe().sizeBytes)
    }
}
