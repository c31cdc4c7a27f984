#!/usr/bin/env python3
"""The examples of README.md and of the manual pages.

    examples.py check FILE...   the applets have each option that an example gives them
    examples.py run PAGE        the examples of this page print what the page says

"run" needs a network, IPC objects and processes of its own (namespaces(7)), because the examples use
well-known ports and keys. Who may not make them skips the test: status 77. Numbers, dates and the last
blanks of a line do not count. $IPCBOX_BINARY is the program, and its links are in a directory of the PATH.
"""
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

BINARY = os.environ["IPCBOX_BINARY"]


def lines_of(path):
    """The literal lines of a page or of README.md: (number, text)."""
    is_page = not path.endswith(".md")
    literal = False
    for number, line in enumerate(open(path, encoding="utf-8").read().splitlines(), 1):
        if is_page:
            if line.startswith(".Dl "):
                yield number, "$ " + unescaped(line[4:])
            elif line.startswith(".Bd") or line.startswith(".Ed"):
                literal = line.startswith(".Bd -literal")
            elif literal:
                yield number, unescaped(line)
        elif line.startswith("```"):
            literal = line == "```console"
        elif literal:
            yield number, line


def unescaped(text):
    for escape, meaning in ((r"\e", "\\"), (r"\(dq", '"'), (r"\(aq", "'"), (r"\-", "-"), (r"\&", "")):
        text = text.replace(escape, meaning)
    return text


def examples_of(path):
    """The commands with what they print: (number, command, [line of output])."""
    examples = []
    for number, text in lines_of(path):
        if text.startswith("$ ") or text.startswith("# "):
            examples.append((number, text[2:], []))
        elif examples and examples[-1][1].endswith("\\"):
            last = examples[-1]
            examples[-1] = (last[0], last[1][:-1] + text.strip(), last[2])
        elif examples:
            examples[-1][2].append(text)
    return examples


# --- check

class Applet:
    def __init__(self, name):
        text = subprocess.run([BINARY, name, "--help"], capture_output=True, text=True, check=True).stdout
        self.runs_command = "COMMAND" in text.splitlines()[0]
        self.takes_signals = "-SIGNAL" in text.splitlines()[0]
        self.flags, self.values = set(), set()
        for letter, word, value in re.findall(r"^  (?:(-.)|   )?(?:, | )?(--[\w.-]+)?( [A-Z\[][^ ]*)?(?=  |$)", text,
                                              re.MULTILINE):
            for option in filter(None, (letter, word)):
                (self.values if value else self.flags).add(option)


def unknown_option(applet, words):
    """The first of WORDS, behind the applet's name, that is an option and not its own."""
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--" or (not word.startswith("-") and applet.runs_command):
            return None
        if not word.startswith("-") or re.fullmatch(r"-|-\d.*", word):
            continue
        if word.startswith("--"):
            name, equals, _ = word.partition("=")
            if name in applet.values:
                at += not equals
            elif name not in applet.flags and not (name.startswith("--no-") and "--" + name[5:] in applet.flags):
                return word
            continue
        if applet.takes_signals and word[1:].isupper():
            continue
        for position, letter in enumerate(word[1:], 1):
            if "-" + letter in applet.values:
                at += position + 1 == len(word)
                break
            if "-" + letter not in applet.flags:
                return word
    return None


def check(paths):
    names = subprocess.run([BINARY, "--list"], capture_output=True, text=True, check=True).stdout.split()
    applets = {name: Applet(name) for name in names}
    count = 0
    mistakes = []
    for path in paths:
        for number, command, _ in examples_of(path):
            lexer = shlex.shlex(command.replace("…", ""), posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            try:
                words = list(lexer)
            except ValueError as error:
                mistakes.append(f"{path}:{number}: {error}: {command}")
                continue
            for at, word in enumerate(words):
                if word not in applets:
                    continue
                count += 1
                end = at + 1
                while end < len(words) and not re.fullmatch(r"[|&;()]+", words[end]):
                    end += 1
                wrong = unknown_option(applets[word], words[at + 1:end])
                if wrong:
                    mistakes.append(f"{path}:{number}: {word} has no option {wrong}")
    print("\n".join(mistakes))
    print(f"{count} calls of applets in the examples of {len(paths)} files")
    return 1 if mistakes or count == 0 else 0


# --- run

def masked(lines):
    """Without what differs from run to run."""
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    text = re.sub(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d ", "DATE ", text)
    text = re.sub(r"\d+", "N", text)
    return re.sub(r" +", " ", text)


def ignore_nothing():
    """We may be started by nohup, or in the background."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def run(page):
    isolated = ["unshare", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        isolated.insert(1, "--map-root-user")
    if not shutil.which("ip") or subprocess.run(isolated + ["true"], capture_output=True).returncode != 0:
        print("cannot make a network of our own", file=sys.stderr)
        return 77
    examples = examples_of(page)
    mark = "-- example %d ends --"
    script = "ip link set lo up || exit\nexport HOME=$PWD LC_ALL=C TZ=UTC\n"
    for index, (_, command, _) in enumerate(examples):
        script += f"{command}\nprintf '\\n%s\\n' '{mark % index}'\n"
    with tempfile.TemporaryDirectory(prefix="ipcbox-test-") as scratch:
        links, empty = os.path.join(scratch, "bin"), os.path.join(scratch, "empty")
        os.mkdir(empty)
        os.mkdir(links)
        subprocess.run([BINARY, "--install", links], check=True)
        environment = dict(os.environ, PATH=links + ":" + os.environ["PATH"])
        for name in ("IPCBOX_FAULT", "IPCBOX_TRACE", "XDG_STATE_HOME"):
            environment.pop(name, None)
        shell = subprocess.Popen(isolated + ["bash", "-c", script], cwd=empty, env=environment, text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 preexec_fn=ignore_nothing)
        guard = threading.Timer(120, shell.kill)  # only against hanging for ever
        guard.start()
        printed = [[]]
        for line in shell.stdout:
            if line.rstrip("\n") == mark % (len(printed) - 1):
                printed.append([])
                if len(printed) > len(examples):
                    break
            else:
                printed[-1].append(line)
        guard.cancel()
        shell.kill()
        shell.wait()
    failures = 0
    for (number, command, expected), got in zip(examples, printed):
        if masked(expected) != masked(got):
            failures += 1
            print(f"{page}:{number}: {command}\n  the page says:\n    " + "    ".join(f"{one}\n" for one in expected) +
                  "  it printed:\n    " + "    ".join(got))
    if len(printed) <= len(examples):
        failures += 1
        print(f"{page}:{examples[len(printed) - 1][0]}: the shell ended, or hung, in this example")
    print(f"{len(examples) - failures} of {len(examples)} examples print what the page says")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(check(sys.argv[2:]) if sys.argv[1] == "check" else run(sys.argv[2]))
