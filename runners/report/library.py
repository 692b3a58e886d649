"""Vega's libraries, which draw the plots of a page."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# What the bundle exports to the script of the page.
EXPORTED = "window.vegaEmbed = vegaEmbed;"
BUNDLE = (
    "import sys, vl_convert; "
    f"sys.stdout.buffer.write(vl_convert.javascript_bundle({EXPORTED!r}).encode())"
)


@contextmanager
def bundling() -> Iterator[Callable[[], str]]:
    """Bundle the libraries to one script beside the block, which gets it by calling.

    In a process of its own: it takes as long as the rest of a page, and Python does nothing else
    meanwhile.
    """
    with subprocess.Popen(
        [sys.executable, "-c", BUNDLE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:

        def library() -> str:
            script, _ = process.communicate()
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, process.args)
            return script.decode().replace("</script", r"<\/script")

        try:
            yield library
        finally:
            process.kill()
