"""`python -m worker`: judges comments.

Without a word it supervises one process for each job. With `moderation`,
`check` or `sweep` it does that job itself.
"""

import argparse
import sys

from service import logs
from service.settings import SettingsError, load
from worker.processes import ROLES, run
from worker.supervisor import supervise


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m worker", description="Judges comments.")
    parser.add_argument("role", nargs="?", choices=ROLES, help="do this job in this process")
    role = parser.parse_args().role
    try:
        settings = load()
    except SettingsError as error:
        parser.exit(2, f"{error}\n")
    logs.configure(settings)
    if role:
        run(role, settings)
    else:
        supervise(ROLES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
