// SPDX-License-Identifier: Apache-2.0

/// Decompresses: each string of the table is somewhere in the output already, so the table holds where
/// it begins and how long it is, and a code is a copy of output to output.
@safe
struct LzwDecoder {
    /// A string of the table: a piece of the output.
    private struct Entry: BitwiseCopyable {
        var start: Int
        var count: Int
    }

    private let input: UnsafeRawBufferPointer

    init(_ input: UnsafeRawBufferPointer) {
        unsafe self.input = input
    }

    /// Runs over the codes once.
    ///
    /// - Parameters:
    ///   - output: Where the bytes go; `nil` only measures, and otherwise it has as many places as were
    ///     measured.
    ///   - limit: The most bytes that may come out.
    /// - Returns: How many bytes come out.
    func decode(
        into output: UnsafeMutableBufferPointer<UInt8>?, limit: Int
    ) throws(WireError) -> Int {
        var codes = unsafe LzwCodes(input)
        // A string is entered with each code at most.
        let strings = unsafe min(Lzw.codeMax + 1, Lzw.end + 2 + input.count)
        var table = [Entry](repeating: Entry(start: 0, count: 0), count: strings)
        var written = 0
        var previous: Entry?
        while true {
            let code = try codes.next()
            if code == Lzw.clear {
                codes.reset()
                previous = nil
                continue
            }
            guard code != Lzw.end else { return written }
            // A new string is the previous one and the first byte of this: one longer than where it lies.
            let next = previous.map { Entry(start: $0.start, count: $0.count + 1) }
            let source: Entry
            if code < Lzw.clear {
                source = Entry(start: written, count: 1)
            } else if code < codes.highest || code == codes.highest && codes.isFull {
                source = table[code]
            } else if code == codes.highest, let next {
                source = next
            } else {
                throw .malformed("an LZW code stands for nothing yet")
            }
            guard source.count <= limit - written else { throw .tooLong(limit: limit) }
            if let output = unsafe output {
                if code < Lzw.clear {
                    unsafe output[written] = UInt8(code)
                } else {
                    // Byte by byte: a string that is its own previous one overlaps what is written.
                    for place in 0..<source.count {
                        unsafe output[written + place] = output[source.start + place]
                    }
                }
            }
            if let next { table[codes.highest] = next }
            previous = codes.advance() ? Entry(start: written, count: source.count) : nil
            written += source.count
        }
    }
}

/// The codes of compressed bytes, one after the other, and which one is the next to be given.
@safe
private struct LzwCodes {
    private let input: UnsafeRawBufferPointer
    private var position = 0
    private var bits: UInt64 = 0
    private var bitCount = 0
    private var width = Lzw.widthMin
    private var limit = 512
    /// The code that the next string gets.
    private(set) var highest = Lzw.end
    /// Whether all codes are given, so that the last one is a string too.
    private(set) var isFull = false

    init(_ input: UnsafeRawBufferPointer) {
        unsafe self.input = input
    }

    mutating func next() throws(WireError) -> Int {
        while bitCount < width {
            guard unsafe position < input.count else { throw .truncated }
            unsafe bits |= UInt64(input[position]) << bitCount
            position += 1
            bitCount += 8
        }
        let code = Int(bits & (1 << width - 1))
        bits >>= width
        bitCount -= width
        return code
    }

    /// Forgets all strings.
    mutating func reset() {
        width = Lzw.widthMin
        limit = 512
        highest = Lzw.end
        isFull = false
    }

    /// Goes on to the next code; `false` if there are no more, and nothing is entered until a clear.
    mutating func advance() -> Bool {
        highest += 1
        guard highest >= limit else { return true }
        guard width < Lzw.widthMax else {
            highest -= 1
            isFull = true
            return false
        }
        width += 1
        limit *= 2
        return true
    }
}
