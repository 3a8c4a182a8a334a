// swift-tools-version: 6.2
import PackageDescription

/// Stands apart, so that the product carries nothing of it.
let package = Package(
  name: "closebell-benchmarks",
  dependencies: [.package(name: "closebell", path: "..")],
  targets: [
    .executableTarget(
      name: "closebell-bench",
      dependencies: [
        .product(name: "Accounting", package: "closebell"),
        .product(name: "Postgres", package: "closebell"),
        .product(name: "PrivateCluster", package: "closebell"),
        .product(name: "Sequences", package: "closebell"),
        .product(name: "Storage", package: "closebell"),
        .product(name: "Workloads", package: "closebell"),
      ],
      swiftSettings: [
        .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
