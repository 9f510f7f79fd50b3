"""The application in an interpreter of its own: imported, maybe started; what was seen as JSON.

    python -X importtime -m photon.cli.checks.probe FILE '{"app": ..., ...}'

The patch comes first, as with `photon run`, so what it finds imported is what `photon run` finds.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from types import ModuleType

from photon.runtime.monkey import patch

if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _EARLY = patch()


def main(path: str, asked: bytes) -> None:
    """Args: path: of the file for what was seen; asked: app, app_dir, factory, start."""
    import resource
    import time

    import msgspec

    from photon.cli.checks.drivers import imported_drivers
    from photon.cli.exits import CommandError
    from photon.cli.importer import full_name, load_application, users_error

    importlib.import_module = _timed_import
    request = msgspec.json.decode(asked)
    name = full_name(request["app"])
    seen: dict[str, object] = {"early": list(_EARLY), "error": None, "start_s": None}
    before = set(sys.modules)
    began = time.perf_counter()
    try:
        application = load_application(
            request["app"], app_dir=request["app_dir"], factory=request["factory"]
        )
        seen["import_s"] = time.perf_counter() - began
        if request["start"]:
            from photon.cli.exits import ExitCode
            from photon.http.server.serving import lifespan_of

            began = time.perf_counter()
            stage = "start"
            try:
                with lifespan_of(application):
                    seen["start_s"] = time.perf_counter() - began
                    stage = "stop"
            except Exception as error:
                raise users_error(
                    f"{name} failed to {stage}", error, ExitCode.NOT_STARTED
                ) from None
    except CommandError as error:
        seen["error"] = {
            "message": error.message.removesuffix(", see above"),
            "hint": error.hint,
            "traceback": error.traceback,
            "started": "import_s" in seen,
        }
    except SystemExit as error:
        seen["error"] = {
            "message": f"{name} ended the process: SystemExit({error.code!r})",
            "hint": "A module that is imported should not call sys.exit().",
            "traceback": "",
            "started": False,
        }
    modules = {name.partition(".")[0] for name in set(sys.modules) - before}
    seen["modules"] = sorted(modules)
    seen["waiting"] = imported_drivers(sys.modules)
    # In KiB on Linux, in bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    seen["memory_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    with open(path, "wb") as file:
        file.write(msgspec.json.encode(seen))


def _timed_import(name: str, package: str | None = None) -> ModuleType:
    """As `importlib.import_module`, of which -X importtime takes no note."""
    __import__(name)
    return sys.modules[name]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2].encode())
