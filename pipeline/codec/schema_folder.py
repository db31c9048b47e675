"""Where the ``schemas`` folder is: topics, JSON Schemas, examples and SQL migrations."""

from __future__ import annotations

from pathlib import Path

import pipeline


def schema_folder() -> Path:
    """The ``schemas`` folder: inside the package where it is installed, else beside the package in a checkout."""
    package = Path(pipeline.__file__).parent
    for folder in (package / "schemas", package.parent / "schemas"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no folder named schemas in or beside {package}: the installation is incomplete")
