// SPDX-License-Identifier: Apache-2.0

internal import CCodecs

/// Packed bytes on their way through a decoder of frames.
@unsafe
struct DecoderInput {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { unsafe rest = bytes }

    /// Runs a decoder until the room is full or the input is opened.
    ///
    /// - Parameters:
    ///   - room: Where the opened bytes go.
    ///   - step: One step of the decoder.
    ///   - hasNext: Whether what follows a frame may be the next one.
    mutating func open(
        into room: UnsafeMutableRawBufferPointer,
        step: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> cordwood_codec_step,
        hasNext: (UnsafeRawBufferPointer) -> Bool
    ) throws(CompressionError) -> StepwiseOutput.Progress {
        var produced = 0
        while produced < room.count {
            let free = unsafe UnsafeMutableRawBufferPointer(rebasing: room[produced...])
            let outcome = unsafe step(rest, free)
            switch outcome.status {
            case CORDWOOD_CODEC_GOOD: break
            case CORDWOOD_CODEC_NO_MEMORY: throw .outOfMemory
            default: throw .damaged
            }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[outcome.consumed...])
            produced += outcome.produced
            if outcome.ended {
                let isEmpty = unsafe rest.isEmpty
                if isEmpty { return .init(produced: produced, hasEnded: true) }
                guard unsafe hasNext(rest) else { throw .damaged }
            } else if outcome.consumed == 0, outcome.produced == 0 {
                // No progress without more input: the last frame is cut short.
                throw .damaged
            }
        }
        return .init(produced: produced, hasEnded: false)
    }
}

/// Packing in one go, into room that is known to be enough.
enum Packing {
    static func pack(
        _ bytes: UnsafeRawBufferPointer, bound: Int,
        _ pack: (UnsafeMutableRawBufferPointer) -> Int
    ) throws(CompressionError) -> [UInt8] {
        precondition(bytes.count <= Int(Int32.max), "a batch is under 2 GiB, not \(bytes.count)")
        let output = unsafe [UInt8](unsafeUninitializedCapacity: bound) { room, count in
            count = unsafe pack(UnsafeMutableRawBufferPointer(room))
        }
        // No format packs even nothing into no bytes: the library found no memory.
        guard !output.isEmpty else { throw .outOfMemory }
        return output
    }
}
