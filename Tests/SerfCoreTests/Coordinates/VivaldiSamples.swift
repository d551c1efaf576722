// SPDX-License-Identifier: Apache-2.0

@testable import SerfCore

/// Samples and what became of a coordinate by them, reckoned by another implementation.
enum VivaldiSamples {
    struct Step {
        let node: String
        let other: Coordinate
        let roundTripNanoseconds: Int64
        let after: Coordinate
        /// From the coordinate after the step to the other one.
        let distanceNanoseconds: Int64
    }

    static let start = Coordinate(
        vector: [0.001, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.002],
        error: 1.5, adjustment: 0.0, height: 1e-05)

    static let steps = [
        Step(
            node: "a",
            other: Coordinate(
                vector: [0.0, 0.003, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                error: 1.5, adjustment: 0.0, height: 1e-05),
            roundTripNanoseconds: 10_000_000,
            after: Coordinate(
                vector: [
                    0.001208408245509935, -0.0006252251503725668, 0.0, 0.0, 0.0, 0.0, 0.0,
                    0.00241681649101987,
                ],
                error: 1.3904792875, adjustment: 0.000136359539249548,
                height: 1.4168164910198702e-05),
            distanceNanoseconds: 4_681_977),
        Step(
            node: "b",
            other: Coordinate(
                vector: [-0.002, 0.0, 0.001, 0.0, 0.0, 0.0, 0.004, 0.0],
                error: 0.5, adjustment: 0.0001, height: 2e-05),
            roundTripNanoseconds: 3_000_000,
            after: Coordinate(
                vector: [
                    0.0008965553428964225, -0.0005644540729204748, 9.719859060100029e-05, 0.0, 0.0,
                    0.0, 0.00038879436240400115, 0.0021819050481968463,
                ],
                error: 1.3223971021691263, adjustment: 7.990456264838134e-05,
                height: 1.0847064575958458e-05),
            distanceNanoseconds: 5_438_103),
        Step(
            node: "a",
            other: Coordinate(
                vector: [0.0, 0.003, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                error: 1.2, adjustment: -0.0002, height: 1e-05),
            roundTripNanoseconds: 200_000_000,
            after: Coordinate(
                vector: [
                    0.006256039286844787, -0.021872272903900737, 0.0006782383332425809, 0.0, 0.0,
                    0.0, 0.0027129533329703238, 0.015225031906659898,
                ],
                error: 1.2773936320397843, adjustment: 0.004327355135358104,
                height: 0.00013546793573417315),
            distanceNanoseconds: 34_229_286),
        Step(
            node: "a",
            other: Coordinate(
                vector: [0.0, 0.003, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                error: 1.2, adjustment: 0.0, height: 1e-05),
            roundTripNanoseconds: 11_000_000,
            after: Coordinate(
                vector: [
                    0.005625309344888123, -0.01936467044815254, 0.0006098587715191715, 0.0, 0.0,
                    0.0, 0.002439435086076686, 0.013690053775852931,
                ],
                error: 1.387290482556924, adjustment: 0.003925677292311488,
                height: 0.00012080195004333758),
            distanceNanoseconds: 30_992_754),
        Step(
            node: "a",
            other: Coordinate(
                vector: [0.0, 0.003, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                error: 1.2, adjustment: 0.0, height: 1e-05),
            roundTripNanoseconds: 12_000_000,
            after: Coordinate(
                vector: [
                    0.005093611876743819, -0.017250792725540327, 0.0005522156545167254, 0.0, 0.0,
                    0.0, 0.0022088626180669017, 0.01239608637155454,
                ],
                error: 1.413488805730044, adjustment: 0.0036129582289424283,
                height: 0.0001084387071703781),
            distanceNanoseconds: 28_121_691),
    ]
}
