// SPDX-License-Identifier: Apache-2.0

/// Finds what somebody probably meant.
public enum NearestName {
    /// The name nearest to one that does not exist, or `nil` if none is near.
    public static func find(_ name: String, among names: [String]) -> String? {
        // Someone who knows only a key's end, or left out what stands before it.
        if let longer = names.first(where: { $0.hasSuffix(".\(name)") }) { return longer }
        let distances = names.map { (name: $0, distance: distance(name, $0)) }
        guard let nearest = distances.min(by: { $0.distance < $1.distance }),
            nearest.distance <= max(2, name.count / 3)
        else { return nil }
        return nearest.name
    }

    /// The least number of characters to insert, remove or replace (Levenshtein).
    static func distance(_ first: String, _ second: String) -> Int {
        let first = Array(first.lowercased().unicodeScalars)
        let second = Array(second.lowercased().unicodeScalars)
        var row = Array(0...second.count)
        for (line, character) in first.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, other) in second.enumerated() {
                let replaced = diagonal + (character == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[second.count]
    }
}
