"""Starts the CLI of the tests once, and has a copy of it run each command: importing it takes longer than what it then does.

A call is a connection to a socket with the words, the folder, and the caller's streams; the answer is the exit status.
"""

import json
import os
import shlex
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from commands import program

FOLDER = Path(__file__).parent
# The program `aws`: as little as can be, for it starts for each command.
CALLER = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    call = json.dumps([os.getcwd(), sys.argv[2:]]).encode() + bytes(1)
    socket.send_fds(server, [call], [0, 1, 2])
    sys.exit(int(server.recv(16) or 70))
"""


def serve(address):
    """Answers calls until it is ended."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        while True:
            connection, _ = server.accept()
            with connection:
                if os.fork() == 0:
                    answer(connection)
            reap()


def answer(connection):
    """Runs a call, tells its status, and ends this copy."""
    status = 70
    try:
        received, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
        while not received.endswith(b"\0"):
            received += connection.recv(1 << 20)
        folder, words = json.loads(received[:-1])
        os.chdir(folder)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        try:
            status = program.main(words)
        except SystemExit as ended:
            status = ended.code
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(str(status or 0).encode())
    finally:
        os._exit(0)


def reap():
    """Forgets copies that ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


@contextmanager
def started(folder, **environment):
    """Yields the line of shell that has a command run by a process which is there already."""
    address, caller = folder / "aws.socket", folder / "caller.py"
    caller.write_text(CALLER)
    environment = {
        **os.environ,
        **environment,
        "PYTHONPATH": str(FOLDER.parent),
        "AWS_MAX_ATTEMPTS": "1",
        # What is not asked of this machine finds nobody.
        "HTTPS_PROXY": "http://127.0.0.1:1",
    }
    process = subprocess.Popen([sys.executable, "-m", "commands.started", str(address)], env=environment)
    try:
        deadline = time.monotonic() + 30
        while not address.exists():
            assert process.poll() is None and time.monotonic() < deadline, "the CLI does not start"
            time.sleep(0.05)
        yield f"exec {shlex.join([sys.executable, '-ISE', str(caller), str(address)])}"
    finally:
        process.terminate()
        process.wait(timeout=10)


if __name__ == "__main__":
    serve(sys.argv[1])
