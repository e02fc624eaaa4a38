# SPDX-License-Identifier: Apache-2.0
# Part of the AICO Task Supervisor
#
# One build folder per configuration: .build (debug, tests), .build-release (release).

SHELL := /bin/bash
.DEFAULT_GOAL := help
RELEASE := --configuration release --scratch-path .build-release --static-swift-stdlib
BIN := .build-release/release
# Warnings are errors: see Package.swift.
export AICO_STRICT := 1

.PHONY: help setup build test test-fast test-vm simulate soak mutants check fmt docs sanitize fuzz fuzz-inside demo everyday bench bench-vm run install uninstall clean

help: ## Print this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Install the Debian packages that are missing
	@scripts/setup

build: setup ## Build the release executables
	swift build $(RELEASE)
	scripts/link-programs $(BIN)

test: build ## Run all tests (those that need root say so and are skipped otherwise)
	swift build --build-tests
	scripts/test $(BIN)

test-fast: ## Run the tests that need neither root nor release executables
	swift build --build-tests
	scripts/test --fast

simulate: setup ## Play the scheduler's core through HOURS virtual hours (SEED=n for a seed)
	swift build $(RELEASE) --product aico-simulate
	$(BIN)/aico-simulate --hours $(or $(HOURS),1000) $(if $(SEED),--seed $(SEED))

soak: setup ## Play it through a million virtual hours
	swift build $(RELEASE) --product aico-simulate
	$(BIN)/aico-simulate --hours $(or $(HOURS),1000000) $(if $(SEED),--seed $(SEED))

mutants: setup ## Plant faults into the core, one after the other, and see each caught
	AICO_MUTANTS=1 swift build --configuration release --scratch-path .build-mutants --product aico-simulate
	.build-mutants/release/aico-simulate --all-mutants --seed $(or $(SEED),7)

everyday: build ## Run what people run every day inside and outside, and print what differs
	scripts/everyday $(BIN)

test-vm: build ## Run the sandbox tests on pure cgroup v2 in a QEMU guest
	swift build --build-tests
	scripts/test-vm $(BIN)

check: ## Format lint, file headers, profile lint
	scripts/check

fmt: ## Format the sources in place
	swift format -i -r Package.swift Sources Tests Benchmarks examples

sanitize: setup ## Run the C and, for some seconds each, the decoders with sanitizers
	swift build --build-tests
	scripts/sanitize
	scripts/fuzz

fuzz: setup ## Give each decoder ten million inputs (RUNS=n, DECODERS="json cron")
	scripts/fuzz $(or $(RUNS),10000000) $(DECODERS)

fuzz-inside: build ## Make ten million random system calls in classes user and agency (CALLS=n, SEED=n)
	swift build --build-tests
	AICO_STORM_CALLS=$(or $(CALLS),10000000) $(if $(SEED),AICO_STORM_SEED=$(SEED)) \
		AICO_BIN_DIR=$(abspath $(BIN)) .build/debug/aico-task-supervisorPackageTests.xctest \
		--testing-library swift-testing --filter SystemTests.StormTests

docs: setup ## Build TaskKit's reference with DocC; its warnings are errors
	swift build
	scripts/docs

demo: build ## Start the system under a temporary root and show it at work
	scripts/demo $(BIN)

bench: build ## Measure against posix_spawn, bubblewrap and firejail, and what many tasks cost
	scripts/bench $(BIN)

bench-vm: build ## Measure starts on pure cgroup v2 in a QEMU guest
	scripts/test-vm $(BIN) bench

run: build ## Run the system in the foreground (ROOT=dir for another root)
	$(BIN)/aico-supervisor --profiles $(abspath sandbox-profiles) $(if $(ROOT),--root $(ROOT))

install: build ## Install to /usr with a systemd unit
	scripts/install $(BIN)

uninstall: ## Remove what install put in place; the state stays
	scripts/uninstall

clean: ## Remove all build folders
	rm -rf .build .build-*
