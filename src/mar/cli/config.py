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


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="YAML configuration of the existing system.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Configuration file to write (TOML); else print it.")
    ] = None,
) -> None:
    """Convert a YAML configuration; items that mean nothing here are named on standard error."""
    from mar.config import given_items, given_to_toml
    from mar.config.legacy import import_config
    from mar.io.atomic import write_bytes

    imported = import_config(file)
    for name in imported.unknown:
        typer.echo(f"not known here, left out: {name}", err=True)
    if imported.with_camera:
        typer.echo("Instrument is the camera's: mar camera import reads it", err=True)
    text = given_to_toml(imported.config)
    if output is None:
        typer.echo(text, nl=False)
        return
    write_bytes(output, text.encode())
    count = sum(len(section) for section in given_items(imported.config).values())
    typer.echo(f"{output}: {count} items")


def _section(name: str, items: dict, values: dict) -> Table:
    table = Table("item", "value", "unit", "meaning", title=name, title_justify="left")
    for item, about in items.items():
        changed = values[item] != about["default"]
        said = about["sentence"] + (" (unused)" if about["unused"] else "")
        table.add_row(item, f"{'* ' if changed else ''}{values[item]}", about["unit"], said)
    return table
