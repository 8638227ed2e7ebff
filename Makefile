.DEFAULT_GOAL := help
.PHONY: help check format lint types test docs demo bench constraints

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

check: ## Everything that must hold before a change is merged
	@.ci/run

format: ## Put the code into the house's form
	uv run ruff check --fix
	uv run ruff format

lint: ## Look for lint, wrong form and forbidden imports
	uv run ruff check
	uv run ruff format --check
	uv run lint-imports --no-logo

types: ## Check the types
	uv run mypy core sdk plugins tests

test: ## Run the tests, on SQLite and PostgreSQL
	uv run pytest -n 2

docs: ## Check links and form of the documentation
	uv run pytest tests/architecture/test_docs.py

demo: ## Serve a filled CRM to look at
	uv run clientela demo

bench: ## Run the measurements
	@for script in bench/[a-z]*.py; do [ ! -e "$$script" ] || uv run python "$$script" || exit 1; done

constraints: ## Write constraints.txt anew, after a change of dependencies
	uv export --quiet --all-packages --all-groups --all-extras --no-emit-workspace \
		--no-header --no-annotate --format requirements-txt --output-file constraints.txt
