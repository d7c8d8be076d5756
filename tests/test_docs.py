"""The pages keep up with the code: generated ones are current, steps described, links and commands exist."""

import ast
import importlib.util
import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import typer

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
RECIPES = ROOT / "src" / "mar" / "recipes"
README = ROOT / "README.md"
WITH_COMMANDS = [README, *sorted(DOCS.glob("*.md"))]
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "benchmarks" / "README.md"]

# modules that other steps are made of, and the page that describes them
PART_OF = {
    "assemble": "overscan",
    "flux_scale": "coadd",
    "frame_choice": "coadd",
    "frame_rows": "coadd",
    "grid": "coadd",
    "growth": "photometry",
    "lattice": "coadd",
    "master_change": "bias",
    "master_rows": "bias",
    "objects": "background",
    "overscan_level": "overscan",
    "picture": "colour",
    "projection": "astrometry",
    "pyramid": "colour",
    "resample": "coadd",
    "rows": "combine",
    "sky_choice": "coadd",
    "sky_mesh": "coadd",
    "sky_polynomial": "fringe",
    "smoothing": "fringe",
    "stamps": "quality",
    "together": "astrometry",
}


def generator():
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["configuration.md", "api.md"])
def test_generated_pages_are_up_to_date(name):
    assert (DOCS / name).read_text("utf-8") == generator().PAGES[name](), "run python docs/generate.py"


def steps_of_recipes():
    """The modules of mar.steps that recipes import."""
    names = set()
    for path in RECIPES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mar.steps."):
                names.add(node.module.rpartition(".")[2])
    return sorted(names)


@pytest.mark.parametrize("step", steps_of_recipes())
def test_each_step_of_a_recipe_has_its_page(step):
    page = DOCS / "steps" / f"{PART_OF.get(step, step)}.md"
    assert page.exists(), f"describe mar.steps.{step} in docs/steps/{step}.md"
    headings = re.findall(r"^##? (.+)$", page.read_text("utf-8"), re.MULTILINE)
    assert headings[0].lower() == page.stem
    assert {"Method", "Not yet"} <= set(headings)


def links(page):
    """Relative targets of a page's links, without code and anchors."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    broken = [target for target in links(page) if not (page.parent / target).exists()]
    assert broken == []


def test_every_page_is_listed():
    listed = {(DOCS / target).resolve() for target in links(DOCS / "index.md")}
    missing = {path.relative_to(DOCS) for path in DOCS.rglob("*.md") if path.resolve() not in listed}
    assert missing == {Path("index.md")}


@pytest.fixture(scope="module")
def mar():
    """The command `mar` with all that is installed."""
    app = typer.Typer()
    for point in entry_points(group="mar.commands"):
        app.add_typer(point.load())
    return typer.main.get_command(app)


def commands(page):
    """The lines of a page that call `mar`, as words."""
    blocks = re.findall(r"^ *```(?:\w*)\n(.*?)^ *```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    text = "\n".join(blocks).replace("\\\n", " ")
    lines = [line.strip().removeprefix("$ ") for line in text.splitlines()]
    said = [part.strip() for line in lines for part in re.split(r"&&|\||;", line)]
    return [shlex.split(line, comments=True) for line in said if line.startswith("mar ")]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_commands_and_options_exist(mar, page):
    for words in commands(page):
        command, rest = mar, words[1:]
        while hasattr(command, "commands"):
            name = next(word for word in rest if not word.startswith("-"))
            assert name in command.commands, f"{page.name}: {shlex.join(words)}"
            rest.remove(name)
            command = command.commands[name]
        known = {option for part in command.params for option in (*part.opts, *part.secondary_opts)} | {
            "--help"
        }
        unknown = {word.partition("=")[0] for word in rest if word.startswith("--")} - known
        assert not unknown, f"{page.name}: {shlex.join(words)}"


def test_the_readme_shows_commands():
    assert len(commands(README)) > 5
