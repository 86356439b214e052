"""Prefect flows: they arrange the steps and compute nothing.

Importing this package sets Prefect's defaults for the process, where the user has not set them: nothing is sent to
anyone, and a temporary server gets the time that a busy machine needs. What flows write is private to its owner and
group, and their children import nothing from the working directory.
"""

import os

from outcomes.trust.permissions import private_by_default, safe_children

OURS: set[str] = set()
"""Settings of Prefect that the user has not made, and we have."""

for _name, _value in {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR",  # the steps say the rest themselves; the server has all
    "PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL": "INFO",
    "PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL": "INFO",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_CLI_PROMPT": "false",
}.items():
    if _name not in os.environ:
        os.environ[_name] = _value
        OURS.add(_name)

private_by_default()
safe_children()

if "PREFECT__FLOW_RUN_ID" in os.environ:  # a run's own process, whose standard error is the log of who serves it
    import outcomes.teardown  # noqa: F401
    from outcomes.progress import speak

    speak(stamped=True)
