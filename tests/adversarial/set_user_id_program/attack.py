# %%
from kit import *

# %%
import subprocess
import time


def became_root(program):
    try:
        started = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError:
        return False
    users = []
    for _ in range(100):
        try:
            status = Path(f"/proc/{started.pid}/status").read_text()
        except OSError:
            break
        users += re.findall(r"^Uid:\s\d+\s(\d+)", status, re.MULTILINE)
        time.sleep(0.001)
    started.kill()
    started.wait()
    return "0" in users


programs = ("/usr/bin/su", "/usr/bin/passwd", "/usr/bin/chsh", "/usr/bin/newgrp", "/usr/bin/mount")
root = any([became_root(program) for program in programs])


def reached():
    return root
