"""`python -m outcomes.cli`, and the command `outcomes`: Ctrl-C is heard before anything large is imported."""

import signal

from outcomes.stopping import leave_at_once


def main() -> None:
    """Run the command line; what it has done and said is no more interrupted."""
    signal.signal(signal.SIGINT, leave_at_once)
    try:
        from outcomes.cli.commands import main as commands

        commands()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
