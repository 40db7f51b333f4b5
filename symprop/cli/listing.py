"""`symprop list`: the zoo.

In: nothing. Out: one line for each model, its name and its title.
"""

import click

from symprop.zoo import titles


@click.command("list")
def listing() -> None:
    """List the models of the zoo, each of which is a TARGET."""
    zoo = titles()
    width = max((len(name) for name in zoo), default=0)
    for name, title in zoo.items():
        click.echo(f"{name:{width}}  {title}")
