// SPDX-License-Identifier: Apache-2.0

extension SettingsTable {
    /// How servers find and watch each other.
    static let gossip: [SettingDefinition] = [
        .text(
            "cluster.name", \.clusterName, range: "1 to 64 characters of A-Z a-z 0-9 . _ -",
            about: """
                The cluster that the server belongs to. Servers of another one are refused, so that \
                a wrong address cannot make one cluster of two.
                """,
            isValid: isName),
        SettingDefinition(
            "gossip.bind", \.gossip.bind,
            range: "host:port, [IPv6]:port or none, port 0 to 65535",
            about: """
                Where the server gossips with the others, UDP and TCP. Port 0 takes one that is \
                free; none turns gossip off, and the server knows of no others. Addresses other \
                than loopback need keys, or insecure_allow_plaintext.
                """,
            render: { $0?.description ?? "none" },
            parse: { text in text == "none" ? .some(nil) : ListenAddress(text).map(Optional.some) }),
        .text(
            "gossip.advertise", \.gossip.advertise, range: "host:port, or nothing",
            about: """
                Where the other servers are told to gossip with this one; port 0 stands for the \
                port that is listened on. Nothing for the address listened on, or the machine's \
                first private address where that is all of them. A host name is looked up once, at \
                the start.
                """,
            isValid: { $0.isEmpty || ListenAddress($0) != nil }),
        SettingDefinition(
            "gossip.seeds", \.gossip.seeds,
            range: "host, host:port or [IPv6]:port, several with commas between, or nothing",
            about: """
                Servers to ask for the others; in the file a list will do. Port 8401 where none is \
                named. One that answers is enough, and one's own address does no harm, so all \
                servers can have the same list. They are asked again, their names looked up anew, \
                until another member is in view; a server that starts first waits for the others.
                """,
            takesList: true,
            render: { $0.map(\.description).joined(separator: ", ") },
            parse: GossipAddress.list),
        .choice(
            "gossip.profile", \.gossip.profile,
            about: """
                How far apart the servers are: lan finds a failure within seconds, wan allows for \
                the internet between sites, local is for several on one machine. All servers of a \
                cluster should have the same.
                """),
        .text(
            "gossip.keys.file", \.gossip.keysFile, range: "a path, or nothing",
            about: """
                A file with the keys that gossip is encrypted with: base64 of 16, 24 or 32 bytes, \
                one a line. The first one encrypts, all of them decrypt. All members need the same; \
                `openssl rand -base64 32` makes one. Keys are never given in settings themselves.
                """,
            isValid: { !$0.utf8.contains(0) }),
        .text(
            "gossip.keyring", \.gossip.keyring, range: "a path, or nothing",
            about: """
                A file that keeps the keys as `cordwood members keys` changes them: Serf's keyring \
                file, a JSON array of base64, readable by its owner alone. Where it exists, its keys \
                are taken and those of gossip.keys.file are not. Without it a restart goes back to \
                those.
                """,
            isValid: { !$0.utf8.contains(0) }),
    ]
}
