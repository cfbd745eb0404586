# Everything a newcomer needs: `make demo` and `make test` do their own set-up. See README.md.

VENV    ?= .venv
PYTHON  ?= python3
BIN     := $(VENV)/bin
TESTS   ?= event_assets_tests
MARKS   ?=
PROFILE ?= fast
KAFKA   ?= 4.1.1
KUSTOMIZE ?= v5.7.1
SPARK_KAFKA ?= org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0 org.apache.spark:spark-token-provider-kafka-0-10_2.13:4.2.0 \
	org.apache.kafka:kafka-clients:3.9.2 org.apache.commons:commons-pool2:2.13.1
SIZE    ?= dev
EXTRAS  ?= aws
CHOICES ?=
CDK     := npx --yes aws-cdk@2
# One more than there are cores, since tests also wait: for servers that start, and for what must not come.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(os.cpu_count() or 1, 7) + 1)')
# A file at a time, in the order of conftest.py: those with long tests first.
SPREAD  := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
# Without MARKS: the fast round of pyproject.toml; in CI one long test of each file besides.
SELECT  := $(if $(MARKS),-m "$(MARKS)",$(if $(CI),-m "representative or not (slow or spark_jvm or browser)"))
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where it is set, each of the hundred processes of a stack, or of the tests, would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

# What no process of a demo imports is compiled when a test first does: it is half of everything.
LATER := /(aws_cdk|kubernetes[a-z_]*|moto|sympy|networkx|django|mypy|schemathesis|hypothesis|playwright|sqlglot|pip|tests?)/

.PHONY: setup demo test-tools test build/checkov build/kafka build/spark-kafka build/kustomize build/images build/ministack web-sdk client-sdks image cloud-synth cloud-diff cloud-bootstrap cloud-deploy lint format docs dist screenshots data bench prove lock clean

setup: $(VENV)/.installed  ## a virtual environment with everything, from the lock file

$(VENV)/.installed: requirements.lock setup.py python-sdk/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "event-assets needs Python 3.11 to 3.13; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep '^uv==' requirements.lock) && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements.lock || \
		$(BIN)/python -m pip install --disable-pip-version-check --no-compile --requirement requirements.lock
	@$(BIN)/python -m compileall -qq -j 0 -x '$(LATER)' $(VENV)/lib || true
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable python-sdk --editable .
	@touch $@

demo: setup  ## the whole platform on this machine, with seeded traffic; stays until Ctrl-C
	@exec $(BIN)/event-assets demo --end-with-parent

test-tools: setup event_assets_tests/emulators/node_modules build/kafka build/spark-kafka build/kustomize build/ministack web-sdk/node_modules client-sdks  ## what tests start and send with: fetched once

test: test-tools web-sdk  ## the fast round; MARKS=slow and the like for others
	$(BIN)/python -m pytest $(SELECT) --hypothesis-profile=$(PROFILE) $(SPREAD) $(TESTS)

event_assets_tests/emulators/node_modules: event_assets_tests/emulators/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --prefix event_assets_tests/emulators; \
		else echo "No npm here: the tests on a Kinesis emulator will be skipped."; fi

build/kafka: setup  ## a Kafka broker's archives, for tests; Spark's own Ivy fetches them
	@test -d $@ || if command -v java >/dev/null; then for attempt in 1 2 3; do \
		java -jar $(VENV)/lib/python3*/site-packages/pyspark/jars/ivy-*.jar -warn -confs default \
		-dependency org.apache.kafka kafka_2.13 $(KAFKA) -cache build/ivy \
		-retrieve '$@.part/[artifact]-[revision](-[classifier]).[ext]' >/dev/null && break; done; mv $@.part $@; \
		else echo "No Java here: the tests on a Kafka broker will be skipped."; fi

build/spark-kafka: setup build/kafka  ## what Apache Spark reads topics of Kafka with, for tests
	@test -d $@ || if command -v java >/dev/null; then for each in $(SPARK_KAFKA); do for attempt in 1 2 3; do \
		java -jar $(VENV)/lib/python3*/site-packages/pyspark/jars/ivy-*.jar -warn -confs default -notransitive \
		-dependency $$(echo $$each | tr : ' ') -cache build/ivy \
		-retrieve '$@.part/[artifact]-[revision].[ext]' >/dev/null && break; done; done; mv $@.part $@; \
		else echo "No Java here: the tests of Spark on Kafka will be skipped."; fi

web-sdk: web-sdk/node_modules  ## builds the web SDK, checks its types and its size, and runs its unit tests
	@if command -v npm >/dev/null; then cd web-sdk && npm run --silent lint && npm test --silent; \
		else echo "No npm here: the web SDK is not built, and its tests in a browser will be skipped."; fi

web-sdk/node_modules: web-sdk/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --prefix web-sdk; fi

client-sdks: event_assets_tests/client_sdks/node_modules build/client-sdks/.installed  ## other people's SDKs, for tests

event_assets_tests/client_sdks/node_modules: event_assets_tests/client_sdks/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --ignore-scripts --prefix event_assets_tests/client_sdks; \
		else echo "No npm here: the tests with other people's SDKs will be skipped."; fi

event_assets_tests/web_sdk/next/node_modules: event_assets_tests/web_sdk/next/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --prefix event_assets_tests/web_sdk/next; \
		else echo "No npm here: the test of Next.js will be skipped."; fi

build/client-sdks/.installed: event_assets_tests/client_sdks/requirements.txt $(VENV)/.installed
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python build/client-sdks
	@$(BIN)/uv pip install --quiet --python build/client-sdks/bin/python --requirement event_assets_tests/client_sdks/requirements.txt
	@touch $@

build/checkov: setup  ## checkov in an environment of its own, for the long round of the tests of infra
	@test -x $@/bin/checkov || { $(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $@ && \
		$(BIN)/uv pip install --quiet --python $@/bin/python 'checkov>=3.3,<4'; }

image: setup  ## the images of all containers; they must start. EXTRAS=aws,dashboard,kafka,kubernetes is Kubernetes'
	docker build --file infra/image/Dockerfile --target platform --build-arg EXTRAS=$(EXTRAS) --tag event-assets .
	docker run --rm event-assets event-assets --help >/dev/null
	docker build --file infra/image/Dockerfile --target collector --tag event-assets-collector .
	docker run --rm event-assets-collector python -m event_assets.collector --help >/dev/null

build/images: setup  ## what the ingest API's image installs, by its own steps, for the long round of the tests of infra
	@test -d $@ || { $(BIN)/python -m event_assets_tests.infra.dockerfile collector $@.part/collector >/dev/null && mv $@.part $@; }

cloud-synth: setup  ## the stacks' templates, in build/cloud: SIZE and CHOICES as for cloud-deploy; asks AWS nothing
	cd infra && PYTHON=$(CURDIR)/$(BIN)/python $(CDK) synth --quiet --output $(CURDIR)/build/cloud -c size=$(SIZE) $(CHOICES)

cloud-diff: setup  ## what cloud-deploy would change in that account
	cd infra && PYTHON=$(CURDIR)/$(BIN)/python $(CDK) diff -c size=$(SIZE) $(CHOICES)

build/kustomize:  ## kustomize, for tests of what Kubernetes gets
	@test -x $@/kustomize || if command -v go >/dev/null; then \
		GOBIN=$(CURDIR)/$@ go install sigs.k8s.io/kustomize/kustomize/v5@$(KUSTOMIZE); \
		else echo "No Go here: the tests of what Kubernetes gets will be skipped."; fi

build/ministack: setup  ## an emulator of AWS in an environment of its own, for tests of alarms and stacks
	@test -x $@/bin/ministack || { $(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $@ && \
		$(BIN)/uv pip install --quiet --python $@/bin/python 'ministack>=1.5,<2'; }

cloud-bootstrap: setup  ## prepares the AWS account in force for the next, once; see docs/how-to/run-on-aws.md
	cd infra && PYTHON=$(CURDIR)/$(BIN)/python $(CDK) bootstrap

cloud-deploy: setup  ## makes or changes the platform in that account: SIZE=dev|small|large, CHOICES='-c edge=alb …'
	cd infra && PYTHON=$(CURDIR)/$(BIN)/python $(CDK) deploy --all $(if $(CI),--require-approval never) -c size=$(SIZE) $(CHOICES)

lint: setup  ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup  ## the documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

dist: setup  ## the distributions as they are published, event-assets and event-assets-sdk, in dist
	rm -rf dist build/lib *.egg-info python-sdk/build python-sdk/*.egg-info
	$(BIN)/uv build --quiet --out-dir dist .
	$(BIN)/uv build --quiet --out-dir dist python-sdk

screenshots: setup  ## the documentation's pictures of the dashboards, of the demo that runs (make demo)
	$(BIN)/python docs/screenshots.py

data: setup  ## the real events of the README, from public repositories by git
	$(BIN)/python -m benchmarks git_activity build/git_activity.ndjson.gz

bench: setup  ## runs each benchmark in a short form and writes docs/benchmarks.md
	$(BIN)/python -m benchmarks page

prove: lint build/checkov build/images event_assets_tests/web_sdk/next/node_modules  ## everything that must hold before a release: every test, twelve times as many examples, benchmarks
	$(MAKE) test MARKS="slow or not slow" PROFILE=prove
	$(MAKE) bench

lock: setup  ## chooses the exact versions anew, within the ranges of setup.py
	$(BIN)/uv pip compile setup.py --all-extras --universal --python-version 3.11 --upgrade --quiet \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-package event-assets-sdk --output-file requirements.lock

clean:  ## removes what was installed and made here, the demo's data too
	rm -rf $(VENV) .event-assets .dagster .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info python-sdk/build python-sdk/*.egg-info
	rm -rf event_assets_tests/emulators/node_modules event_assets_tests/client_sdks/node_modules event_assets_tests/web_sdk/next/node_modules web-sdk/node_modules web-sdk/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
