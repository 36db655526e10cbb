"""`python -m worker`: judges comments.

Without a word it supervises one process for each job. With the name of a job it
does that one itself; `rules` is for people who write rules.
"""

import click

from service import logs
from service.settings import Settings, SettingsError, load
from worker.processes import ROLES, run
from worker.supervisor import supervise
from worker.tools.commands import rules
from worker.tools.learners import learner


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Judge comments: supervise one process for each job."""
    if context.invoked_subcommand is None:
        settings = _settings()
        supervise(ROLES, lambda role: run(role, settings))


def _settings() -> Settings:
    try:
        settings = load()
    except SettingsError as error:
        raise click.UsageError(f"unusable settings:\n{error}") from error
    logs.configure(settings)
    return settings


def _role_command(role: str) -> click.Command:
    def work() -> None:
        run(role, _settings())

    return click.Command(role, callback=work, help=f"Do the job `{role}` in this process.")


for _role in ROLES:
    main.add_command(_role_command(_role))
main.add_command(rules)
main.add_command(learner)

if __name__ == "__main__":
    main(prog_name="python -m worker")
