// swift-tools-version: 6.2
import PackageDescription

/// One strictness for every target: Swift 6 mode, and no warning survives a build.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// The arithmetic is optimised in debug builds too; checks stay.
///
/// So `make test` can hold a hundred thousand portfolios against the laws of the ledger. Only a root package may say this.
let optimised: [SwiftSetting] =
  strict + [
    .unsafeFlags(
      ["-O", "-wmo", "-num-threads", "2", "-disable-batch-mode"], .when(configuration: .debug))
  ]

/// Failures planned by `CLOSEBELL_FAULT`, for tests: what is released does not know the word.
let faultInjection = SwiftSetting.define("FAULT_INJECTION", .when(configuration: .debug))

/// Valgrind does not understand what the compiler writes for debuggers.
let stripped: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "-s"])]

/// The arrows of the house run one way: see docs/architecture.md.
let package = Package(
  name: "closebell",
  products: [
    .executable(name: "closebell", targets: ["closebell"]),
    .library(name: "Accounting", targets: ["Accounting"]),
    .library(name: "Postgres", targets: ["Postgres"]),
    .library(name: "PrivateCluster", targets: ["PrivateCluster"]),
    .library(name: "Problems", targets: ["Problems"]),
    .library(name: "Sequences", targets: ["Sequences"]),
    .library(name: "Storage", targets: ["Storage"]),
    .library(name: "Workloads", targets: ["Workloads"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
  ],
  targets: [
    .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CExpat", providers: [.apt(["libexpat1-dev"])]),
    .target(name: "Accounting", swiftSettings: optimised),
    .target(name: "Problems", swiftSettings: strict),
    .target(
      name: "Postgres", dependencies: ["CLibPQ", "Problems"],
      swiftSettings: strict + [faultInjection]),
    .target(name: "CThreadOwner"),
    .target(
      name: "PrivateCluster",
      dependencies: [
        "CThreadOwner", "Problems", .product(name: "Subprocess", package: "swift-subprocess"),
      ], swiftSettings: strict),
    .target(name: "CMigrations", exclude: ["sql"]),
    .target(name: "Sequences", dependencies: ["Postgres", "Problems"], swiftSettings: strict),
    .target(
      name: "Storage",
      dependencies: ["Accounting", "CMigrations", "Postgres", "Problems", "Sequences"],
      swiftSettings: strict),
    .target(
      name: "Import", dependencies: ["Accounting", "CExpat", "Postgres", "Problems", "Storage"],
      // Linked in, so that the program needs nothing but libpq where it runs.
      swiftSettings: strict, linkerSettings: [.linkedLibrary(":libexpat.a")]),
    .target(name: "Text", swiftSettings: strict),
    .target(
      name: "Close", dependencies: ["Accounting", "Postgres", "Problems", "Storage", "Text"],
      swiftSettings: strict),
    .target(
      name: "Operations",
      dependencies: [
        "Accounting", "Close", "Import", "Postgres", "Problems", "Sequences", "Storage",
      ],
      swiftSettings: strict),
    .target(
      name: "Presentation",
      dependencies: [
        "Accounting", "Close", "Import", "Operations", "Problems", "Sequences", "Storage", "Text",
      ],
      swiftSettings: strict),
    .target(
      name: "Console",
      dependencies: [
        "Close", "Import", "Operations", "Presentation", "Problems", "Text",
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: strict),
    .target(
      name: "Settings", dependencies: ["Console", "Import", "Postgres", "Problems", "Text"],
      swiftSettings: strict),
    .executableTarget(
      name: "closebell",
      dependencies: [
        "Accounting", "Close", "Console", "Import", "Operations", "Postgres", "Presentation",
        "PrivateCluster", "Problems", "Sequences", "Settings", "Storage", "Text",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(
      name: "TestSupport",
      dependencies: [
        "Postgres", "PrivateCluster", "Storage",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      path: "Tests/TestSupport", swiftSettings: strict),
    .target(
      name: "Workloads", dependencies: ["Accounting"], path: "Tests/Workloads",
      swiftSettings: optimised),
    .executableTarget(
      name: "instruction-probe", dependencies: ["Workloads"], path: "Tests/InstructionProbe",
      swiftSettings: strict, linkerSettings: stripped),
    .testTarget(
      name: "AccountingTests", dependencies: ["Accounting", "TestSupport", "instruction-probe"],
      swiftSettings: optimised),
    .testTarget(
      name: "PostgresTests", dependencies: ["Postgres", "Problems", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "StorageTests", dependencies: ["Problems", "Sequences", "Storage", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CloseTests", dependencies: ["Close", "Import", "Problems", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ImportTests", dependencies: ["Import", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "OperationsTests", dependencies: ["Operations", "Presentation", "Text"],
      exclude: ["Golden"],
      swiftSettings: strict),
    .testTarget(
      name: "TextTests", dependencies: ["Text"], swiftSettings: strict),
    .testTarget(
      name: "PrivateClusterTests", dependencies: ["PrivateCluster", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "Console", "Presentation", "Settings", "TestSupport", "Text", "closebell",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),
    .testTarget(
      name: "SimulationTests",
      dependencies: ["Close", "Storage", "Accounting", "Postgres", "TestSupport"],
      swiftSettings: strict),
    .testTarget(name: "ProblemsTests", dependencies: ["Problems"], swiftSettings: strict),
    .testTarget(name: "TidyTests", dependencies: ["Problems"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c2x
)
