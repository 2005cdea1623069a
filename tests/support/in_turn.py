"""Several of nbgrader's commands in one process, each as its own command line would run it: COMMANDS as JSON."""

from __future__ import annotations

import json
import sys

from nbgrader.apps.nbgraderapp import NbGraderApp

for arguments in json.loads(sys.argv[1]):
    try:
        NbGraderApp.launch_instance(argv=arguments)
    except SystemExit as error:
        if error.code:
            raise
    NbGraderApp.clear_instance()
