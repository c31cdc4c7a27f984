"""Runs the examples of pages: see examples.py.

Each page has a shell of its own, in namespaces(7) of its own: a network, IPC objects, processes and mounts,
because the examples use well-known ports, keys and paths. A user that may not make those, or has not the programs
of the examples, skips the test: status 77.
The folder "examples" has the rest of the world: "programs", which stand in for the reader's own, "world.sh", which
the shell reads first, and in the other files the scripts around examples that need more than to be run. Such a
script stands under a line "# == START", or several such lines, for each example that starts so; "run" in it runs
the example. The example is all right if the script ends with 0 and if, where the page shows output, this is what
was printed. Numbers, times and the count of blanks are not compared.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

BINARY = os.environ["IPCBOX_BINARY"]
WORLD = pathlib.Path(__file__).parent / "examples"
ISOLATED = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--ipc", "--pid", "--mount", "--uts", "--fork",
            "--kill-child", "--mount-proc"]
PEERS = ["bc", "ed", "etcd", "etcdctl", "hostname", "ip", "jq", "less", "nsenter", "openssl", "pgrep", "scriptreplay",
         "setpriv", "unshare"]
PAGES_AT_ONCE = 4
SKIPPED = 77


class Scripts:
    def __init__(self):
        self.by_start, self.unused = {}, {}
        for path in sorted(WORLD.glob("*.sh")):
            starts, body = [], []
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if line.startswith("# == "):
                    if body:
                        starts, body = [], []
                    starts.append(line[len("# == "):])
                    self.unused[starts[-1]] = f"{path.name}:{number}"
                    self.by_start[starts[-1]] = body
                elif starts:
                    body.append(line)

    def of(self, command):
        starts = [start for start in self.by_start if command.startswith(start)]
        if not starts:
            return ["run"]
        best = max(starts, key=len)
        self.unused.pop(best, None)
        return self.by_start[best]


def masked(lines):
    """Without what differs from run to run."""
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    for pattern, name in ((r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\b", "DATE"),
                          (r"[-+]?\b\d+(\.\d+)?([dhm]\d+)*[dhms]\b", "TIME"),  # 3m12s
                          (r"[-+]\d+(\.\d+)?(?= s\b)|[-+]\d+\.\d+", "OFFSET"),
                          (r"\d+(\.\d+)?", "N"), (r" +", " ")):
        text = re.sub(pattern, name, text)
    return text


def ignore_nothing():
    """We may be started by nohup, or in the background."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def make_world(directory):
    """What all pages share: links, programs, and the /etc with the hosts and users of the examples."""
    links, local, etc = (directory / name for name in ("bin", "local", "etc"))
    links.mkdir()
    local.mkdir()
    subprocess.run([BINARY, "--install", links], check=True)
    (links / "ipcbox").symlink_to(BINARY)
    for name, text in re.findall(r"^# == (\S+)\n(.*?)(?=^# == |\Z)", (WORLD / "programs").read_text(encoding="utf-8"),
                                 re.MULTILINE | re.DOTALL):
        program = local / name[2:] if name.startswith("./") else links / name
        program.write_text("#!/bin/sh\n" + text, encoding="utf-8")
        program.chmod(0o755)
    shutil.copytree("/etc", etc, symlinks=True, ignore_dangling_symlinks=True)
    for name in ("hosts", "passwd", "group"):
        file = etc / name
        before = file.read_text(encoding="utf-8") if file.exists() and name != "hosts" else ""
        file.unlink(missing_ok=True)
        file.write_text((WORLD / name).read_text(encoding="utf-8") + before, encoding="utf-8")
    (etc / "resolv.conf").unlink(missing_ok=True)  # no server answers here


def script_of(document, scripts):
    """The shell's script, which prints a line after each example."""
    script = [f"WORLD={WORLD}", f". {WORLD}/world.sh"]
    for index, example in enumerate(document.examples):
        if example.reason:
            continue
        quoted = example.command.replace("'", "'\\''")
        script += [f"EXAMPLE='{quoted}'", "{"] + scripts.of(example.command)
        script += ["}", f"printf '\\n-- example {index} ends with %d --\\n' $?"]
    return "\n".join(script) + "\n"


def run_page(document, scripts, world):
    """{index of the example: (status of its script, what it printed)}"""
    page = world / pathlib.Path(document.path).name
    page.mkdir()
    script = world / (page.name + ".script")
    script.write_text(script_of(document, scripts), encoding="utf-8")
    for program in (world / "local").iterdir():
        (page / program.name).symlink_to(program)
    for name, text in document.files.items():
        (page / name).write_text(text, encoding="utf-8")
    environment = {"PATH": f"{world}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                   "HOME": str(page), "USER": "root", "LC_ALL": "C", "TZ": "UTC",
                   "IPCBOX_TLS": os.environ.get("IPCBOX_TLS", "")}
    with subprocess.Popen(ISOLATED + ["bash", script], cwd=page, env=environment, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=ignore_nothing) as shell:
        guard = threading.Timer(120, shell.kill)  # only against hanging for ever
        guard.start()
        results, lines = {}, []
        wanted = sum(not example.reason for example in document.examples)
        for line in shell.stdout:
            # A program in the background may have written the beginning of this line.
            if end := re.search(r"-- example (\d+) ends with (\d+) --\n$", line):
                results[int(end[1])] = (int(end[2]), lines)
                lines = []
                if len(results) == wanted:
                    break
            else:
                lines.append(line)
        guard.cancel()
        shell.kill()
    if len(results) < wanted:
        unfinished = next(at for at, one in enumerate(document.examples) if not one.reason and at not in results)
        results[unfinished] = (None, lines)
    return results


def report(document, results):
    """The count of examples that did their work."""
    good = 0
    for index, (status, printed) in sorted(results.items()):
        example = document.examples[index]
        differs = example.output and masked(example.output) != masked(printed)
        if status == 0 and not differs:
            good += 1
            continue
        print(f"{document.path}:{example.number}: {example.command}")
        print("  the shell ended, or hung, here" if status is None else f"  ended with {status}")
        if differs:
            print("  the page says:\n    " + "\n    ".join(example.output))
        print("  it printed:\n    " + "    ".join(printed))
    return good


def run(documents):
    if missing := [name for name in PEERS if not shutil.which(name)]:
        print("the examples need", ", ".join(missing), file=sys.stderr)
        return 1 if os.environ.get("CI") == "true" else SKIPPED
    if os.geteuid() != 0 or subprocess.run(ISOLATED + ["true"], capture_output=True, check=False).returncode != 0:
        print("only root may make a network, users and mounts of its own", file=sys.stderr)
        return SKIPPED
    scripts = Scripts()
    good = 0
    with tempfile.TemporaryDirectory(prefix="ipcbox-test-") as scratch:
        world = pathlib.Path(scratch)
        world.chmod(0o755)
        make_world(world)
        with concurrent.futures.ThreadPoolExecutor(PAGES_AT_ONCE) as pool:
            for document, results in zip(documents, pool.map(lambda one: run_page(one, scripts, world), documents)):
                good += report(document, results)
    examples = [example for document in documents for example in document.examples]
    to_run = [example for example in examples if not example.reason]
    shown = sum(bool(example.output) for example in to_run)
    unused = scripts.unused if len(documents) > 1 else {}
    for start, place in unused.items():
        print(f"{place}: no example starts with {start}")
    print(f"{good} of {len(to_run)} examples on {len(documents)} pages do what the page says, {shown} of which show "
          f"output; {len(examples) - len(to_run)} more are marked as not run")
    return 0 if good == len(to_run) and not unused else 1
