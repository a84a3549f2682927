# SPDX-License-Identifier: Apache-2.0
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help env test-env build demo test lint test-noble bench fuzz soak docs clean

# Each recipe line runs with ROS 2 and the built packages in reach.
IN_ENV := source tools/env.sh &&
# Tests of whole graphs wait most of the time.
TWO_AT_A_TIME := -n 2 --dist loadgroup

TYPED := $(wildcard tools/*.py launch/fer_bringup bench robustness \
	ros2_ws/src/fer_perception/fer_perception \
	ros2_ws/src/ambient_light_driver/ambient_light_driver \
	ros2_ws/src/fer_bridges/fer_bridges \
	ros2_ws/src/fer_client/fer_client \
	ros2_ws/src/fer_common/fer_common \
	ros2_ws/src/fer_evaluation/fer_evaluation \
	ros2_ws/src/fer_training/fer_training)

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

env: ## Check the machine; without ROS 2, make .venv
	@tools/setup_env.sh demo

test-env: ## The same with what training and the tests need
	@tools/setup_env.sh tests

build: env ## Build all packages into install/
	@$(IN_ENV) unset PYTHONDONTWRITEBYTECODE && flock tools colcon --log-level error build --event-handlers console_cohesion- console_direct-

demo: build ## Camera to lamp for about 20 s; VIDEO=file for a clip, DEMO_SECONDS=n
	@$(IN_ENV) python3 -m fer_bringup.demo

lint: test-env ## Check style, types, security, licence headers and manifests
	@$(IN_ENV) ruff check . && ruff format --check . && mypy $(TYPED) && python3 tools/check_files.py
	@$(IN_ENV) bandit --quiet --recursive --configfile pyproject.toml $(TYPED) examples \
		2> >(grep -v 'nosec encountered' >&2)

test: test-env build lint ## Build, check style and types, run every test
	@$(IN_ENV) python3 -m pytest $(TWO_AT_A_TIME) $(PYTEST_ARGS)

test-noble: ## Build and test with the library versions of Ubuntu 24.04, on Python 3.12
	@tools/test_noble.sh $(PYTEST_ARGS)

bench: test-env build ## Measure speed beside other packages; BENCH_ARGS='frames --rounds 5' for a part
	@$(IN_ENV) python3 -m bench.run $(BENCH_ARGS)

fuzz: test-env build ## Try a million hostile inputs; FUZZ_ARGS='palettes --share 0.1' for a part
	@$(IN_ENV) python3 -m robustness.fuzz.run $(FUZZ_ARGS)

soak: test-env build ## Faults, load and a long run; SOAK_ARGS='graph --minutes 5' for a part
	@$(IN_ENV) python3 -m robustness.soak.run $(SOAK_ARGS)

docs: ## Build the documentation of everything into build/docs
	@tools/build_docs.sh

clean: ## Remove build output and environment
	rm -rf build install log .venv demo build-noble install-noble .venv-noble
