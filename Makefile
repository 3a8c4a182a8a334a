# One way to run each chore; bare `make` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
PORTFOLIOS ?= 1000
PAIRS ?= 5
# So many tests at once: enough to keep two processors busy, few enough that none waits long for
# its turn or finds the server full.
WIDTH ?= 6
HISTORY ?= 0
DATES ?= 0
ROUNDS ?= 1
COVERAGE ?= 98

SOURCES := Sources Tests Benchmarks/Sources Package.swift
STATIC := .build/release-static
# Nobody links against the program, so that nothing is exported; and what the loader relocates is
# packed where it can unpack that (glibc 2.36 and later). Together a tenth of the binary.
LINKING = -s --icf=safe --no-export-dynamic $(shell \
  getconf GNU_LIBC_VERSION | awk '$$2 >= 2.36 { print "-z pack-relative-relocs" }')
FIGURES := .build/bench
# What only calculates, and what keeps a server busy, would keep other tests from their turn.
REASONED := AccountingTests|SimulationTests|TidyTests
# Swift 6.2 does not know the option. Its help is read to the end: a broken pipe would count as no.
TESTS = swift test --skip-build --disable-xctest $(shell \
  swift test --help-hidden 2>/dev/null | grep maximum-parallelization-width >/dev/null \
  && echo --experimental-maximum-parallelization-width $(WIDTH))
CHAOS := CallSite|CommitCut|EveryMoment|OneMoment|Interleaving|Chaos|AccumulatedEquity|Crowd|Weather|ExactlyOnce|SequenceLoad|ImportJob|ResumeTests

# Tests, demo and benchmarks use clusters of their own, whatever the environment says.
unexport $(filter CLOSEBELL_% PG%,$(.VARIABLES))

.PHONY: help demo demo-repair test coverage sanitize bench bench-import kernels sequences check format \
  lint build release install chaos clean deps

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: deps ## the nightly close end to end, on real prices
	swift build -c release --product closebell
	Fixtures/demo.sh "$$(swift build -c release --show-bin-path)/closebell"

demo-repair: deps ## an inflated equity, healed before your eyes
	swift build -c release --product closebell
	Fixtures/demo-repair.sh "$$(swift build -c release --show-bin-path)/closebell"

test: deps ## every test, on a PostgreSQL cluster of their own
	swift build --build-tests
	@log="$$(mktemp)"; trap 'rm -f "$$log"' EXIT; failed=0; \
	group() { $(TESTS) "$$@" 2>&1 | tee -a "$$log" || failed=1; }; \
	group --filter '$(REASONED)'; \
	group --filter '$(CHAOS)' --skip '$(REASONED)'; \
	group --skip '$(REASONED)|$(CHAOS)'; \
	if [ "$$failed" -ne 0 ]; then \
	  printf '\nwhat failed:\n' >&2; \
	  grep -aE 'recorded an issue|(^|: )error:|error: (Process|Exited)' -A 3 "$$log" | cut -c 1-400 | tail -n 60 >&2; \
	  grep -aE ': (Precondition|Assertion) failed|: Fatal error|[0-9] crashed:$$' -A 14 "$$log" \
	  | cut -c 1-240 | tail -n 60 >&2; \
	fi; \
	exit "$$failed"

coverage: deps ## what the tests of the arithmetic leave out; fails below COVERAGE=98 per cent
	swift build --build-tests --enable-code-coverage --scratch-path .build/coverage
	swift test --skip-build --enable-code-coverage --scratch-path .build/coverage --disable-xctest \
	  --filter AccountingTests --skip InstructionCount
	@folder="$$(swift build --scratch-path .build/coverage --show-bin-path)"; \
	cov="$$(dirname "$$(readlink -f "$$(command -v swift)")")/llvm-cov"; \
	if [ ! -x "$$cov" ]; then cov=llvm-cov; fi; \
	"$$cov" report "$$folder/closebellPackageTests.xctest" \
	  -instr-profile "$$folder/codecov/default.profdata" Sources/Accounting \
	| awk -v least=$(COVERAGE) ' \
	  /^Filename|^-|^TOTAL/ || $$3 > 0 { print } \
	  /^TOTAL/ { isWhole = 1; \
	    if ($$4 + 0 < least || $$10 + 0 < least) { \
	      print "error: regions " $$4 ", lines " $$10 ", and each has to be " least "%"; exit 1 } } \
	  END { if (!isWhole) { print "error: nothing was measured"; exit 1 } }'

# Fewer random portfolios and flows: an instrumented one takes ten times as long. What is watched is
# not counted either: instructions are of the program as it is.
sanitize: deps ## the arithmetic's tests under the address and the thread sanitizer
	@for kind in address thread; do \
	  echo "sanitizer: $$kind"; \
	  CLOSEBELL_TEST_LEDGERS=2000 CLOSEBELL_TEST_FLOWS=2000 swift test --sanitize=$$kind \
	    --scratch-path .build/$$kind --disable-xctest --filter AccountingTests --skip InstructionCount; \
	done

bench: kernels release ## a night against PostgreSQL copying the same rows (PORTFOLIOS=1000 PAIRS=5 HISTORY=0 DATES=0)
	CLOSEBELL_BENCH_JSON=$(FIGURES)/night.json \
	  "$$(swift build -c release --package-path Benchmarks --show-bin-path)/closebell-bench" \
	  "$$(swift build -c release --scratch-path $(STATIC) --show-bin-path)/closebell" \
	  Benchmarks/generate.py \
	  $(PORTFOLIOS) $(PAIRS) $(HISTORY) $(DATES)

bench-import: release ## an import against a plain COPY of the same million rows (ROUNDS=3)
	swift build -c release --package-path Benchmarks
	@mkdir -p $(FIGURES)
	CLOSEBELL_BENCH_JSON=$(FIGURES)/import.json \
	  "$$(swift build -c release --package-path Benchmarks --show-bin-path)/closebell-bench" import \
	  "$$(swift build -c release --scratch-path $(STATIC) --show-bin-path)/closebell" \
	  Benchmarks/generate.py 850 \
	  $(if $(filter command line,$(origin ROUNDS)),$(ROUNDS),3)

kernels: deps ## the arithmetic alone, against its targets
	swift build -c release --package-path Benchmarks
	@mkdir -p $(FIGURES)
	CLOSEBELL_BENCH_JSON=$(FIGURES)/kernels.json \
	  "$$(swift build -c release --package-path Benchmarks --show-bin-path)/closebell-bench" kernels

sequences: deps ## checking sequences, their trigger and reserved ids, against their targets
	swift build -c release --package-path Benchmarks
	@mkdir -p $(FIGURES)
	CLOSEBELL_BENCH_JSON=$(FIGURES)/sequences.json \
	  "$$(swift build -c release --package-path Benchmarks --show-bin-path)/closebell-bench" sequences

check: lint test ## lint, build with warnings as errors, test

format: ## lay every Swift file out as the house does
	swift format -i -r $(SOURCES)

lint: ## complain about layout, and change nothing
	swift format lint --strict -r $(SOURCES)

build: deps ## a debug build
	swift build

release: deps ## a stripped binary that needs only libpq, in .build/release-static
	swift build -c release --product closebell --static-swift-stdlib --scratch-path $(STATIC) \
	  -Xswiftc -use-ld=lld $(foreach flag,$(LINKING),-Xlinker $(flag))
	@bin="$$(swift build -c release --scratch-path $(STATIC) --show-bin-path)/closebell"; \
	  if grep -q CLOSEBELL_FAULT "$$bin"; then \
	    echo 'error: what makes tests fail on purpose is in the release binary' >&2; exit 1; fi; \
	  ls -l "$$bin"

install: ## the release binary into PREFIX/bin (PREFIX=/usr/local); builds it if need be
	@bin="$(STATIC)/release/closebell"; \
	  if [ ! -x "$$bin" ]; then "$(MAKE)" release; fi; \
	  install -D -m 755 "$$bin" "$(DESTDIR)$(PREFIX)/bin/closebell"; \
	  echo "installed $(DESTDIR)$(PREFIX)/bin/closebell"

chaos: deps ## every call site, commit and moment fails, storms included (ROUNDS=1)
	swift build --build-tests
	@report="$$(mktemp)"; trap 'rm -f "$$report"' EXIT; \
	for round in $$(seq $(ROUNDS)); do \
	  echo "round $$round of $(ROUNDS)"; \
	  CLOSEBELL_CHAOS=1 CLOSEBELL_CHAOS_REPORT="$$report" \
	    $(TESTS) --filter '$(CHAOS)' || failed=1; \
	done; \
	echo; cat "$$report"; exit $${failed:-0}

clean: ## removes what was built
	rm -rf .build Benchmarks/.build

# What has to be there. On Debian and its kin missing packages are installed.
deps:
	@version="$$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p')"; \
	if [ -z "$$version" ]; then \
	  echo 'error: Swift is not installed' >&2; \
	  echo 'hint: Swift 6.2 or later, from https://www.swift.org/install' >&2; exit 1; \
	fi; \
	if [ "$$(printf '6.2\n%s\n' "$$version" | sort -V | head -n 1)" != 6.2 ]; then \
	  echo "error: Swift $$version is too old" >&2; \
	  echo 'hint: Swift 6.2 or later, from https://www.swift.org/install' >&2; exit 1; \
	fi
	@server_is_there() { \
	  for postgres in "$$(pg_config --bindir 2>/dev/null || true)/postgres" \
	    /usr/lib/postgresql/*/bin/postgres "$$(command -v postgres || true)"; do \
	    [ -x "$$postgres" ] || continue; \
	    major="$$("$$postgres" --version | sed -n 's/.* \([0-9][0-9]*\)[.a-z].*/\1/p' | head -n 1)"; \
	    [ "$${major:-0}" -ge 15 ] && return 0; \
	  done; return 1; \
	}; \
	all_is_there() { \
	  command -v pkg-config >/dev/null && pkg-config --exists libpq expat && server_is_there; \
	}; \
	if all_is_there; then exit 0; fi; \
	needs='libpq-dev libexpat1-dev postgresql pkg-config'; \
	root=(); if [ "$$(id -u)" -ne 0 ]; then \
	  root=(sudo); if [ ! -t 0 ]; then root=(sudo -n); fi; \
	fi; \
	if ! command -v apt-get >/dev/null; then \
	  echo 'error: libpq, PostgreSQL 15 or later, or pkg-config is missing, and there is no apt-get' >&2; \
	  echo "hint: install what Debian calls $$needs" >&2; exit 1; \
	fi; \
	if [ "$$(id -u)" -ne 0 ] && ! { command -v sudo && "$${root[@]}" true; } >/dev/null; then \
	  echo 'error: packages are missing, and installing them needs root or sudo' >&2; \
	  echo "hint: as root: apt-get update && apt-get install $$needs" >&2; exit 1; \
	fi; \
	echo "installing $$needs"; \
	"$${root[@]}" apt-get update -qq; \
	"$${root[@]}" env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends $$needs >/dev/null; \
	"$${root[@]}" env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -y -qq --no-install-recommends valgrind >/dev/null \
	  || echo 'valgrind is not to be had: the tests will not count instructions'; \
	if ! all_is_there; then \
	  echo 'error: the packages are installed, and PostgreSQL 15 or later is still not there' >&2; \
	  echo 'hint: this release of the system ships an older one; see https://www.postgresql.org/download' >&2; \
	  exit 1; \
	fi
