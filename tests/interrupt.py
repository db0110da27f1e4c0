"""Ctrl-C, for tests. Where they run in the background of a shell it is ignored by inheritance."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

LISTEN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


def interrupted(code):
    """`subprocess.CompletedProcess` of Python code that gets Ctrl-C a second after "begin"."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN + code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    ) as process:
        try:
            assert process.stdout.readline().strip() == b"begin"
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    return subprocess.CompletedProcess(code, process.returncode, out, err)


@contextmanager
def interrupt_after(seconds):
    """Ctrl-C for this process."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)
