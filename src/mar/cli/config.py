"""`mar config`: the items, their meaning and their values."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(no_args_is_help=True, help="The configuration: items, units, defaults.")


@app.command()
def show(
    section: Annotated[str, typer.Argument(help="One section; all by default.")] = "",
    file: Annotated[Path | None, typer.Option("--config", help="Configuration file (TOML).")] = None,
    toml: Annotated[bool, typer.Option("--toml", help="As a TOML file, to start your own from.")] = False,
) -> None:
    """Print every item in force with its unit, default and meaning."""
    from mar.config import config_to_dict, config_to_toml, describe, load_config

    config = load_config(file)
    if toml:
        typer.echo(config_to_toml(config), nl=False)
        return
    known = describe()
    if section and section not in known:
        raise typer.BadParameter(f"no section {section!r}; there are {', '.join(known)}")
    values = config_to_dict(config)
    for name in [section] if section else known:
        Console().print(_section(name, known[name], values[name]))


def _section(name: str, items: dict, values: dict) -> Table:
    table = Table("item", "value", "unit", "meaning", title=name, title_justify="left")
    for item, about in items.items():
        changed = values[item] != about["default"]
        said = about["sentence"] + (" (unused)" if about["unused"] else "")
        table.add_row(item, f"{'* ' if changed else ''}{values[item]}", about["unit"], said)
    return table
