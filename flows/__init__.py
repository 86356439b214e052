"""Prefect flows: they arrange the steps and compute nothing.

Importing this package sets Prefect's defaults for the process, where the user has not set them: nothing is sent to
anyone, and a temporary server gets the time that a busy machine needs. What flows write is private to its owner and
group, and their children import nothing from the working directory.
"""

import os

from outcomes.trust.permissions import private_by_default, safe_children

for _name, _value in {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_CLI_PROMPT": "false",
}.items():
    os.environ.setdefault(_name, _value)

private_by_default()
safe_children()

if "PREFECT__FLOW_RUN_ID" in os.environ:  # a run's own process, whose standard error is the log of who serves it
    import outcomes.teardown  # noqa: F401
