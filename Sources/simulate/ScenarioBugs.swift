// SPDX-License-Identifier: Apache-2.0

#if PLANTED_BUGS
    import RaftCore
    import RaftScenarios

    /// Which stories notice a bug.
    enum ScenarioBugs {
        /// The scenario files in a folder that fail with a bug.
        static func finding(_ bug: PlantedBug, in folder: String) -> [String] { [] }
    }
#endif
