"""Types at a command on a terminal of its own. argv: a JSON list of steps, then the command.

A step is [wait for this text, then type this] or [wait for this text, {"signal": number}]. Prints JSON: the exit code, all
that the terminal showed, and whether echo and line mode are on again afterwards.
"""
import json
import os
import select
import subprocess
import sys
import termios
import time

steps = json.loads(sys.argv[1])
master, slave = os.openpty()
flags = termios.ECHO | termios.ICANON | termios.ISIG
before = termios.tcgetattr(slave)[3] & flags


def take_terminal():
    os.setsid()
    import fcntl

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


child = subprocess.Popen(sys.argv[2:], stdin=slave, stdout=slave, stderr=slave, preexec_fn=take_terminal)
shown = b""
waited_from = 0
give_up = time.monotonic() + 120
while time.monotonic() < give_up:
    if select.select([master], [], [], 0.02)[0]:
        shown += os.read(master, 65536)
        continue
    if steps and steps[0][0].encode() in shown[waited_from:]:
        _, action = steps.pop(0)
        waited_from = len(shown)
        if isinstance(action, dict):
            os.kill(child.pid, action["signal"])
        else:
            os.write(master, action.encode())
        continue
    if child.poll() is not None:
        break
else:
    child.kill()
    child.wait()
print(
    json.dumps(
        {
            "code": child.returncode,
            "shown": shown.decode(errors="replace"),
            "restored": (termios.tcgetattr(slave)[3] & flags) == before,
            "steps_left": len(steps),
        }
    )
)
