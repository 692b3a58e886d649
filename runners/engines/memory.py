"""The memory that this process may use."""

import os
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def memory_limit() -> int:
    """The memory of this machine, or of the container that this process is in, in bytes."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *container_limits()])


def container_limits(cgroups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> list[int]:
    """The memory limits of the cgroups of this process, including parent groups, in bytes."""
    limits = []
    with suppress(OSError):
        for line in own.read_text().splitlines():
            # cgroups v2: one line without a name; v1: one line per controller.
            _, kinds, path = line.split(":", 2)
            if kinds and "memory" not in kinds.split(","):
                continue
            root, name = (
                (cgroups / "memory", "memory.limit_in_bytes") if kinds else (cgroups, "memory.max")
            )
            group = root / path.strip("/")
            # In a container, the process may see its own group as the root.
            for folder in (group, *group.parents):
                if not folder.is_relative_to(root):
                    break
                with suppress(OSError, ValueError):
                    limits.append(int((folder / name).read_text()))
    return limits
