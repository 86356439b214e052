"""All commands in one group.

Exit codes: 0 done; 1 the data were refused; 2 wrong use; 3 a fatal check failed and nothing was published;
4 another run is writing to the study; 5 a file is damaged or a step failed; 6 something has to be mended (only
`outcomes doctor`); 7 the published release is older than [schedule] expected_hours of study.toml allows (only
`outcomes status`); 130 stopped by Ctrl-C (0 for `serve` and `ui`, which run until then).
"""

from __future__ import annotations

import click

import outcomes.teardown  # noqa: F401  registered before all else
from outcomes.cli.caring import doctor, upgrade
from outcomes.cli.checking import check
from outcomes.cli.federating import federate
from outcomes.cli.feeding_back import feedback
from outcomes.cli.group import Outcomes
from outcomes.cli.keeping import prune, seal, verify, withdraw
from outcomes.cli.looking import power, status, ui
from outcomes.cli.making import init, schema, simulate
from outcomes.cli.researching import diff, export, notebook, query
from outcomes.cli.running import STEPS, pull, refresh, serve
from outcomes.one_thread import one_thread


@click.group(cls=Outcomes, epilog=__doc__.split("\n\n", 1)[1], context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="outcomes")
def main() -> None:
    """From a folder of session ratings to a checked release, fitted models and a report.

    A study is a folder with a study.toml. Drop source files into its inbox/ and run `outcomes refresh DIR`.
    """
    from outcomes.trust.permissions import private_by_default, safe_children

    one_thread()
    private_by_default()
    safe_children()


_MAKING, _KEEPING = (check, init, schema, simulate, pull), (doctor, upgrade, verify, seal, withdraw, prune)
_ASKING = (query, diff, export, notebook, power)
for _command in (*_MAKING, refresh, *STEPS, status, ui, serve, *_ASKING, *_KEEPING, feedback, federate):
    main.add_command(_command)
