#!/usr/bin/env python3
"""The examples of README.md, of the manual pages and of the helps.

    examples.py check PAGE...   the applets have each option that an example gives them
    examples.py run PAGE...     each example does its work, and prints what the page says

A PAGE is a file; "helps" stands for those examples in the help of each applet that no file has.
An example is a line of a page's EXAMPLES (.Dl), or a line with a prompt in a literal block; the lines below it are
what it prints. Comments before a line or a block of a page say more: ".\" not run: REASON", or ".\" file: NAME" of
a block that the examples below find as a file. $IPCBOX_BINARY is the program. example_runs.py runs the examples.
"""
import os
import re
import shlex
import subprocess
import sys

BINARY = os.environ["IPCBOX_BINARY"]


class Example:
    def __init__(self, number, command):
        self.number, self.command, self.output = number, command, []
        self.reason = None  # why it is not run


class Document:
    """What a page, README.md or a help has of examples, and of files for them."""

    def __init__(self, path, applet=None):
        self.path, self.examples, self.files = path, [], {}
        is_readme = path.endswith(".md")
        for number, text, mark in help_lines(applet) if applet else readme_lines(path) if is_readme else page_lines(path):
            self.add(number, text, mark, prompts=("$ ", "# ") if is_readme else ("$ ",))
        for name, lines in self.files.items():
            self.files[name] = "".join(line + "\n" for line in lines)

    def add(self, number, text, mark, prompts):
        """MARK is the comment before the line, or before its block."""
        last = self.examples[-1] if self.examples else None
        if text is None:  # another block begins
            self.examples.append(None)
        elif mark and mark.startswith("file: "):
            self.files.setdefault(mark[len("file: "):], []).append(text)
        elif text.startswith(prompts):
            self.examples.append(Example(number, text[2:]))
            if mark and mark.startswith("not run: "):
                self.examples[-1].reason = mark[len("not run: "):]
        elif last and last.command.endswith("\\"):
            last.command = last.command[:-1] + text.strip()
        elif last and (text or last.output):
            last.output.append(text)


def page_lines(path):
    """Of each literal block, and of each .Dl in EXAMPLES: (number, text, mark); text None between them."""
    literal, section, mark, block_mark = False, "", None, None
    for number, line in enumerate(open(path, encoding="utf-8").read().splitlines(), 1):
        if line.startswith(".\\\" "):
            mark = line[4:]
            continue
        if line.startswith(".Dl "):
            yield number, None, None
            if section == "EXAMPLES":
                yield number, "$ " + unescaped(line[4:]), mark
        elif line.startswith((".Bd", ".Ed")):
            literal = line.startswith(".Bd -literal")
            yield number, None, None
            block_mark = mark if literal else None
        elif literal:
            yield number, unescaped(line), mark or block_mark
        elif line.startswith(".Sh "):
            section = line[4:]
        mark = None


def readme_lines(path):
    literal = False
    for number, line in enumerate(open(path, encoding="utf-8").read().splitlines(), 1):
        if line.startswith("```"):
            literal = line == "```console"
            yield number, None, None
        elif literal:
            yield number, line, None


def help_lines(applet):
    """The commands of a help's examples. Their explanations are indented further."""
    lines = output_of(applet, "--help").splitlines()
    first = lines.index("Examples:") + 1
    for number, line in enumerate(lines[first:], first + 1):
        if re.match(r"  \S", line):
            yield number, None, None
            yield number, "$ " + line[2:], None


def output_of(*words):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, check=True).stdout


def unescaped(text):
    for escape, meaning in ((r"\e", "\\"), (r"\(dq", '"'), (r"\(aq", "'"), (r"\-", "-"), (r"\&", "")):
        text = text.replace(escape, meaning)
    return text


def documents_of(paths):
    documents = [Document(path) for path in paths if path != "helps"]
    known = {example.command for document in documents for example in document.examples if example}
    if "helps" in paths:
        documents += [Document(f"{applet} --help", applet) for applet in output_of("--list").split()]
    for document in documents:
        document.examples = [example for example in document.examples
                             if example and not (document.path.endswith(" --help") and example.command in known)]
    return [document for document in documents if document.examples]


# --- check

class Applet:
    def __init__(self, name):
        text = output_of(name, "--help")
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
    applets = {name: Applet(name) for name in output_of("--list").split()}
    count = 0
    mistakes = []
    for document in documents_of(paths):
        for example in document.examples:
            place = f"{document.path}:{example.number}"
            lexer = shlex.shlex(example.command.replace("…", ""), posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            try:
                words = list(lexer)
            except ValueError as error:
                mistakes.append(f"{place}: {error}: {example.command}")
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
                    mistakes.append(f"{place}: {word} has no option {wrong}")
    print("\n".join(mistakes))
    print(f"{count} calls of applets in the examples of {len(paths)} files")
    return 1 if mistakes or count == 0 else 0


if __name__ == "__main__":
    if sys.argv[1] == "run":
        import example_runs
        sys.exit(example_runs.run(documents_of(sys.argv[2:])))
    sys.exit(check(sys.argv[2:]))
