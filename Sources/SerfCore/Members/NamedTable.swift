// SPDX-License-Identifier: Apache-2.0

/// Values by name, and in an order that depends only on what was done to the table.
///
/// A removed value's place is taken by the last one, so everything but sorting costs the same
/// whatever the size.
struct NamedTable<Element: Sendable>: Sendable {
    /// The names, in the order of ``elements``.
    private(set) var names: [String] = []
    /// The values.
    private(set) var elements: [Element] = []
    private var places: [String: Int] = [:]

    /// How many there are.
    var count: Int { elements.count }

    /// The value of a name, if there is one.
    ///
    /// Setting `nil` removes it.
    subscript(name: String) -> Element? {
        get { places[name].map { elements[$0] } }
        set {
            switch (places[name], newValue) {
            case (let place?, let value?): elements[place] = value
            case (let place?, nil): remove(at: place)
            case (nil, let value?):
                places[name] = elements.count
                names.append(name)
                elements.append(value)
            case (nil, nil): break
            }
        }
    }

    /// Changes the value of a name in place; `nil` if there is none.
    mutating func change<Result>(_ name: String, _ body: (inout Element) -> Result) -> Result? {
        guard let place = places[name] else { return nil }
        return body(&elements[place])
    }

    private mutating func remove(at place: Int) {
        places[names[place]] = nil
        let (name, element) = (names.removeLast(), elements.removeLast())
        guard place < elements.count else { return }
        names[place] = name
        elements[place] = element
        places[name] = place
    }

    /// The table is in order.
    func checkInvariants() {
        precondition(
            names.count == elements.count && places.count == names.count,
            "\(names.count) names, \(elements.count) values, \(places.count) places")
        for (place, name) in names.enumerated() {
            precondition(places[name] == place, "\(name) is not at its place \(place)")
        }
    }
}
