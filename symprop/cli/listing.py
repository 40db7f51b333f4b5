"""`symprop list`: the zoo.

In: nothing. Out: one line for each model, its name and its title.
"""

import click

from symprop.zoo import models


@click.command("list")
def listing() -> None:
    """List the models of the zoo, each of which is a TARGET."""
    zoo = models()
    width = max((len(name) for name in zoo), default=0)
    for name, model in zoo.items():
        click.echo(f"{name:{width}}  {model.title}")
