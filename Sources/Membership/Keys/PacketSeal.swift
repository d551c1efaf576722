// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import SerfWire

/// Seals what is sent with the primary key and opens what comes with any key; labels both.
///
/// AES-GCM with a new random nonce for each packet; the layout is ``EncryptedFrame``'s. The label is
/// authenticated with every packet and body, also with answers, where its header is not sent.
/// Version 1 is sent, 0 and 1 are read. With keys nothing plain is taken, without keys nothing
/// encrypted.
struct PacketSeal: Sendable {
    /// What stands before packets and on dialled streams; empty without a label.
    let header: [UInt8]
    private let keys: [SymmetricKey]
    private let label: [UInt8]

    /// Why something is not let in.
    enum Refusal: Error, Equatable {
        /// It has not our label, or one where we have none.
        case wrongLabel
        /// We have keys, and it is not encrypted.
        case notEncrypted
        /// It is encrypted, and we have no keys.
        case encrypted
        /// No key opens it.
        case undecryptable
    }

    /// - Parameters:
    ///   - keys: The first one is sealed with; none: plain text.
    ///   - label: At most 255 bytes; empty for none.
    init(keys: [[UInt8]], label: [UInt8]) {
        self.keys = keys.map { SymmetricKey(data: $0) }
        self.label = label
        self.header = Label.header(label)
    }

    /// Whether there are keys.
    var isEncrypting: Bool { !keys.isEmpty }

    /// Bytes that a packet grows by.
    var packetOverhead: Int {
        let version = EncryptedFrame.currentVersion
        return header.count + (isEncrypting ? EncryptedFrame.overhead(version: version) : 0)
    }

    // MARK: Packets

    /// What is sent for a plain packet.
    func seal(packet: [UInt8], nonce: AES.GCM.Nonce = AES.GCM.Nonce()) -> [UInt8] {
        guard let key = keys.first else { return header + packet }
        let data = EncryptedFrame.packetAdditionalData(label: label)
        return header + frame(of: packet, key: key, nonce: nonce, authenticating: data).packet()
    }

    /// The plain packet in what came.
    func unseal(packet: [UInt8]) throws(Refusal) -> [UInt8] {
        let body: [UInt8]
        do {
            body = try Label.unwrap(packet, label: label)
        } catch {
            throw .wrongLabel
        }
        guard isEncrypting else { return body }
        guard let version = body.first, version <= 1 else { throw .notEncrypted }
        let data = EncryptedFrame.packetAdditionalData(label: label)
        do {
            return try unseal(EncryptedFrame(packet: body), authenticating: data)
        } catch {
            throw .undecryptable
        }
    }

    // MARK: Bodies of streams

    /// What is sent for a plain body; `nil` if it is longer than a peer would take.
    ///
    /// - Parameter isDialled: Whether we dialled: only then the label's header stands before it.
    func seal(
        body: [UInt8], isDialled: Bool, nonce: AES.GCM.Nonce = AES.GCM.Nonce()
    ) -> [UInt8]? {
        let header = isDialled ? header : []
        guard let key = keys.first else { return header + body }
        let size = EncryptedFrame.size(ofMessage: body.count)
        guard size <= EncryptedFrame.streamFrameMax else { return nil }
        let data = EncryptedFrame.streamAdditionalData(frameSize: size, label: label)
        return header + frame(of: body, key: key, nonce: nonce, authenticating: data).stream()
    }

    /// Refuses a body by its first byte, if it is plain where we have keys, or the other way round.
    func check(kind: UInt8) throws(Refusal) {
        guard EncryptedFrame.isStream([kind]) != isEncrypting else { return }
        throw isEncrypting ? .notEncrypted : .encrypted
    }

    /// The plain body in a whole one, which has no label's header.
    func unseal(body: [UInt8]) throws(Refusal) -> [UInt8] {
        guard let kind = body.first else { throw .undecryptable }
        try check(kind: kind)
        guard isEncrypting else { return body }
        do {
            let frame = try EncryptedFrame(stream: body)
            let data = EncryptedFrame.streamAdditionalData(frameSize: frame.size, label: label)
            return try unseal(frame, authenticating: data)
        } catch {
            throw .undecryptable
        }
    }

    // MARK: The cipher

    private func frame(
        of plain: [UInt8], key: SymmetricKey, nonce: AES.GCM.Nonce, authenticating data: [UInt8]
    ) -> EncryptedFrame {
        do {
            let box = try AES.GCM.seal(plain, using: key, nonce: nonce, authenticating: data)
            return EncryptedFrame(
                version: EncryptedFrame.currentVersion, nonce: Array(nonce),
                ciphertext: Array(box.ciphertext), tag: Array(box.tag))
        } catch {
            // Keys are of the right sizes, and nothing else can be wrong with the input.
            preconditionFailure("AES-GCM refuses to seal \(plain.count) bytes")
        }
    }

    private func unseal(
        _ frame: EncryptedFrame, authenticating data: [UInt8]
    ) throws(Refusal) -> [UInt8] {
        for key in keys {
            // A key that does not fit is no error: the next one may.
            guard
                let nonce = try? AES.GCM.Nonce(data: frame.nonce),
                let box = try? AES.GCM.SealedBox(
                    nonce: nonce, ciphertext: frame.ciphertext, tag: frame.tag),
                let plain = try? AES.GCM.open(box, using: key, authenticating: data),
                let message = try? frame.message(ofPlaintext: Array(plain))
            else { continue }
            return message
        }
        throw .undecryptable
    }
}
