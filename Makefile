.PHONY: test lint format demo bench docs

test:      ## run the tests
	pytest

lint:      ## style, types, imports
	ruff check .
	ruff format --check .
	mypy
	lint-imports

format:    ## put the source in shape
	ruff check --fix .
	ruff format .

demo:      ## a small night through the whole system
	mar demo --once

bench:     ## the headline work through the API
	python benchmarks/bench_night.py

docs:      ## write the generated pages again
	python docs/generate.py
