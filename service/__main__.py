"""`python -m service`: everything that operators do from the command line."""

from typing import Any

import click

from service.commands import data, people, processes, replay, sites, transfer, upkeep, webhooks
from service.domain.errors import ModerationError, StoreUnavailable
from service.local import Refused
from service.settings import SettingsError


class _PlainGroup(click.Group):
    """Commands whose foreseeable failures are one sentence, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(f"Unusable settings:\n{error}") from error
        except StoreUnavailable as error:
            raise click.ClickException(
                "The database is away or not migrated; DATABASE_URL says where it should be."
            ) from error
        except (ModerationError, Refused) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_PlainGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Anteroom keeps the comments of websites, judges them and lets people review them."""


for _module in (processes, sites, people, upkeep, data, transfer, replay, webhooks):
    for _command in _module.COMMANDS:
        main.add_command(_command)

if __name__ == "__main__":
    main(prog_name="python -m service")
