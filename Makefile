.PHONY: test lint format demo bench bench-api bench-pages bench-pixels bench-sky docs

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

bench-api: ## the service at a survey's size, on both databases
	python benchmarks/bench_api.py

bench-pages: ## the pages at a survey's size, until their first paint, on both databases
	python benchmarks/bench_pages.py

bench-pixels: ## the pixel steps beside their peers, at full scale
	python benchmarks/bench_pixels.py --scale 1 --plot benchmarks/scaling.png

bench-sky: ## sources, astrometry, tiles and colour images beside their peers, at full scale
	python benchmarks/bench_sky.py --scale 1

docs:      ## write the generated pages again
	python docs/generate.py
