"""What processes use."""

import psutil


def resident(pid: int) -> float:
    """MiB of a process and its children, shared pages counted once where the system tells."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            memory = process.memory_full_info()
            total += int(getattr(memory, "pss", 0) or memory.rss)
    except psutil.Error:
        return round(total / 2**20, 1)
    return round(total / 2**20, 1)
