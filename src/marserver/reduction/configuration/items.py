"""The text of a configuration file with one item set."""

from typing import Any

import tomli_w

from mar.config import Config, given_items


def with_item(config: Config, section: str, item: str, value: Any) -> str:
    """What is given in a configuration with one item more; None leaves the item to its default."""
    values = given_items(config)
    values.setdefault(section, {}).pop(item, None)
    if value is not None:
        values[section][item] = value
    return tomli_w.dumps({name: items for name, items in values.items() if items})
