# SPDX-License-Identifier: MIT
# ctest: timeout=60
"""Holds the architecture: which part may know which, and what every file must and must not hold.

The rules are data at the top. Each rule has a planted breach below that it must catch, since a
check that cannot fail proves nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unittest
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Callable, Optional

SOURCE_DIR = Path(os.environ.get("TAU_SOURCE_DIR", Path(__file__).resolve().parents[1]))

# --- layers -----------------------------------------------------------------------------------
# The most specific path decides. A layer may include itself and what is named here.

LAYERS: dict[str, set[str]] = {
    "characters": set(),
    "wire": {"characters"},
    "engine": {"wire"},
    "service": {"wire", "engine", "dispatch", "observe", "context", "characters"},
    "transport": {"wire", "dispatch", "context", "observe", "characters"},
    "net": {"wire", "transport", "dispatch", "context", "engine", "observe", "config"},
    "config": {"wire"},
    "observe": {"wire"},
    "server": {"wire", "engine", "service", "transport", "net", "config", "observe", "dispatch",
               "context", "characters"},
    "api": {"wire-public"},
    "client": {"wire", "wire-public", "api", "client-generated", "characters"},
    "adapters": {"api", "wire-public"},
    "cli": {"api", "wire-public", "cli-generated", "tables", "characters"},
    "examples": {"api", "wire-public"},
}

PATHS: tuple[tuple[str, str], ...] = (
    ("protocol/wire/utf8.", "characters"),
    ("protocol/wire/", "wire"),
    ("server/engine/", "engine"),
    ("server/service/context.h", "context"),
    ("server/service/", "service"),
    ("server/transport/", "transport"),
    ("server/net/", "net"),
    ("server/config/", "config"),
    ("server/observe/", "observe"),
    ("server/", "server"),
    ("client/include/", "api"),
    ("client/src/", "client"),
    ("client/adapters/", "adapters"),
    ("client/cli/", "cli"),
    ("client/man/", "cli"),
    ("client/examples/", "examples"),
)

# Where generated headers belong: they are not in the tree, so they are known by their names.
GENERATED: tuple[tuple[str, str], ...] = (
    (r"taud_\w+\.h", "dispatch"),
    (r"tau/protocol\.h", "wire-public"),
    (r"tau/operations\.h", "api"),
    (r"tau_cli_\w+\.h", "cli-generated"),
    (r"tau_(operations|calls)\w*\.h", "client-generated"),
    (r"tau_tables\.h", "tables"),
    (r"tau_\w+\.h", "wire"),
)

# Directories in which an included name is looked for, besides that of the file itself.
INCLUDE_ROOTS = ("server", "server/engine", "protocol", "client/include", "client/src",
                 "client/cli")

SOCKET_HEADERS = (r"sys/socket\.h|sys/un\.h|netinet/.*|arpa/.*|netdb\.h|poll\.h|sys/epoll\.h|"
                  r"sys/select\.h|event2/.*|event\.h|evutil\.h")
FILE_HEADERS = r"fcntl\.h|sys/mman\.h|sys/stat\.h|dirent\.h|sys/file\.h|aio\.h|linux/.*"
CLOCK_CALLS = (r"clock_gettime|gettimeofday|time|localtime|localtime_r|gmtime|strftime|"
               r"nanosleep|usleep|sleep")
RANDOM_CALLS = r"rand|srand|random|srandom|rand_r|drand48|getrandom|getentropy|arc4random"
FILE_CALLS = (r"open|openat|fopen|read|pread|preadv|write|pwrite|pwritev|fsync|fdatasync|rename|"
              r"renameat|link|linkat|unlink|unlinkat|ftruncate|truncate|mkdir|mkdirat|opendir|mmap|"
              r"munmap|fallocate|posix_fallocate|flock|fstat|stat")
ALLOCATOR_CALLS = r"malloc|calloc|realloc|free|aligned_alloc|posix_memalign|strdup|strndup"


@dataclass(frozen=True)
class Ban:
    """What files of a layer must not include or call, but for those that are the seam itself."""

    layers: tuple[str, ...]
    headers: str = ""
    calls: str = ""
    but: str = r"(?!)"  # paths that the ban does not concern
    why: str = ""


BANS = (
    Ban(("wire", "engine", "service", "transport", "config", "observe", "server", "context"),
        headers=SOCKET_HEADERS, why="only server/net knows sockets and libevent"),
    Ban(("client", "api"), headers=r"event2/.*|event\.h", why="only adapters know an event loop"),
    Ban(("client",), headers=SOCKET_HEADERS, but=r"client/src/(socket|address|client)\.[ch]",
        why="the core is bytes in, bytes out: only the blocking face knows sockets"),
    Ban(("wire",), headers=FILE_HEADERS + r"|unistd\.h|pthread\.h|stdio\.h", calls=ALLOCATOR_CALLS,
        why="wire has no I/O and no allocation policy"),
    Ban(("engine",), headers=FILE_HEADERS, calls=FILE_CALLS,
        but=r"server/engine/(io|allocator)\.[ch]",
        why="the engine touches files only through its I/O seam"),
    Ban(("engine",), calls=CLOCK_CALLS, but=r"server/engine/allocator\.[ch]",
        why="the engine is told the time"),
    Ban(("engine", "service", "transport"), calls=RANDOM_CALLS, why="random numbers are passed in"),
    Ban(("engine",), calls=ALLOCATOR_CALLS, but=r"server/engine/allocator\.[ch]",
        why="the engine allocates through one allocator"),
    Ban(("service", "transport"), headers=FILE_HEADERS, calls=FILE_CALLS,
        why="services and transports do no I/O"),
    Ban(("client", "api"), calls=r"printf|puts|perror|exit|abort|signal|sigaction|syslog",
        why="a library writes no log, never exits, never touches signals"),
)

# --- reading ----------------------------------------------------------------------------------

Tree = dict[str, str]  # path -> text
C_SUFFIXES = {".c", ".h", ".rl"}
NEEDS_LICENCE = {".c", ".h", ".rl", ".py", ".toml", ".cmake", ".sh", ".cpp", ".in", ".map"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def tracked_files() -> list[str]:
    """What git holds; outside of a clone, everything that is not built."""
    done = subprocess.run(["git", "ls-files", "-z", "--cached"], cwd=SOURCE_DIR,
                          capture_output=True, check=False)
    if done.returncode == 0 and done.stdout:
        return [name for name in done.stdout.decode().split("\0") if name]
    return [str(path.relative_to(SOURCE_DIR)) for path in SOURCE_DIR.rglob("*")
            if path.is_file() and not {".git", "build"} & set(path.parts)]


def read_tree() -> Tree:
    tree: Tree = {}
    for name in tracked_files():
        path = SOURCE_DIR / name
        if path.is_file():
            tree[name] = path.read_bytes().decode("utf-8", errors="replace")
    return tree


def layer_of(path: str) -> Optional[str]:
    for prefix, layer in PATHS:
        if path.startswith(prefix):
            return layer
    return None


def resolve(path: str, name: str, tree: Tree) -> Optional[str]:
    """The layer of an included header, or None for one of the system's."""
    top = path.split("/")[0]
    roots = sorted(INCLUDE_ROOTS, key=lambda root: root.split("/")[0] != top)
    for root in (str(PurePosixPath(path).parent), *roots):
        found = os.path.normpath(f"{root}/{name}")
        if found in tree:
            return layer_of(found)
    for pattern, layer in GENERATED:
        if re.fullmatch(pattern, name):
            return layer
    return None


# --- checks: each takes the tree and returns its breaches --------------------------------------


def check_layers(tree: Tree) -> list[str]:
    breaches = []
    for path, text in tree.items():
        layer = layer_of(path)
        if layer is None or Path(path).suffix not in C_SUFFIXES:
            continue
        allowed = LAYERS.get(layer, set()) | {layer}
        if "wire" in allowed:
            allowed |= {"wire-public"}
        if layer == "context":
            allowed |= {"wire", "wire-public", "engine"}
        for kind, name in INCLUDE.findall(text):
            found = resolve(path, name, tree)
            if found is None and kind == '"':
                breaches.append(f"{path}: {name} is in no known part")
            if found is not None and found not in allowed:
                breaches.append(f"{path}: {layer} must not include {name} of {found}")
    return breaches


def check_bans(tree: Tree) -> list[str]:
    breaches = []
    for path, text in tree.items():
        layer = layer_of(path)
        if layer is None or Path(path).suffix not in C_SUFFIXES:
            continue
        code = COMMENT_OR_TEXT.sub('""', text)
        names = [name for _, name in INCLUDE.findall(text)]
        for ban in BANS:
            if layer not in ban.layers or re.fullmatch(ban.but, path):
                continue
            found = [name for name in names if ban.headers and re.fullmatch(ban.headers, name)]
            if ban.calls:
                found += re.findall(rf"(?<![\w.>])(?:{ban.calls})(?=\()", code)
            breaches += [f"{path}: {name}: {ban.why}" for name in found]
    return breaches


def is_script(path: str, text: str) -> bool:
    return text.startswith("#!") or Path(path).name == "CMakeLists.txt"


def check_licences(tree: Tree) -> list[str]:
    """The licence in the first lines, and in C a comment that says what the file is for."""
    breaches = []
    for path, text in tree.items():
        if Path(path).suffix not in NEEDS_LICENCE and not is_script(path, text):
            continue
        head = text.split("\n", 12)[:12]
        if not any("SPDX-License-Identifier: MIT" in line for line in head[:3]):
            breaches.append(f"{path}: no licence in its first lines")
        elif Path(path).suffix in C_SUFFIXES:
            words = [line for line in head if re.match(r"\s*(//|\*|/\*)\s*\w", line)]
            if len(words) < 2:
                breaches.append(f"{path}: does not say what it is for")
    return breaches


MACHINE_PATHS = re.compile(r"/home/[a-z]\w*|/root/|/Users/\w|[A-Z]:\\Users")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def check_traces(tree: Tree) -> list[str]:
    """No path of a machine, no work left to do, no tabs or stray blanks in C and Python."""
    own = [str(SOURCE_DIR)] if len(SOURCE_DIR.parts) > 2 else []
    breaches = []
    for path, text in tree.items():
        if path == "tests/structure_test.py":
            continue
        found = MACHINE_PATHS.findall(text) + [name for name in own if name in text]
        breaches += [f"{path}: names a path of a machine: {name}" for name in found]
        breaches += [f"{path}: {word}" for word in UNFINISHED.findall(text)]
        if Path(path).suffix in {".c", ".h", ".py", ".rl"}:
            for number, line in enumerate(text.split("\n"), 1):
                if "\t" in line or line != line.rstrip():
                    breaches.append(f"{path}:{number}: a tab or blanks at its end")
    return breaches


WIDTH = 100


def check_width(tree: Tree) -> list[str]:
    """Lines of programs fit a window."""
    return [f"{path}:{number}: has {len(line)} columns of {WIDTH}" for path, text in tree.items()
            if Path(path).suffix in C_SUFFIXES | {".py", ".js", ".mjs", ".ts"}
            for number, line in enumerate(text.split("\n"), 1) if len(line) > WIDTH]


VERSION_STATED = re.compile(r"'A', *'U', *(?:0x)?\d|TAU\\(?:x0)?\d")


def check_version(tree: Tree) -> list[str]:
    """The version that frames carry stands in the specification; no program knows its number."""
    return [f"{path}: states the version of the protocol: {found}" for path, text in tree.items()
            if path.startswith(("server/", "client/", "protocol/wire/"))
            and Path(path).suffix in {".c", ".h", ".rl", ".py", ".js"}
            for found in VERSION_STATED.findall(text)]


TOP_LEVEL = {"protocol", "gen", "server", "client", "tests", "CMakeLists.txt", "README.md",
             "LICENSE", "CMakePresets.json"}


def check_top_level(tree: Tree) -> list[str]:
    names = {path.split("/")[0] for path in tree}
    return [f"{name}: does not belong at the top"
            for name in sorted(names - TOP_LEVEL) if not name.startswith(".")]


def check_generator(tree: Tree) -> list[str]:
    """gen/ uses the standard library and itself, and neither reads clocks nor draws numbers."""
    allowed = {"taugen", "taudoc", "__future__", "argparse", "collections", "dataclasses", "enum",
               "functools", "hashlib", "importlib", "io", "itertools", "json", "math", "operator",
               "os", "pathlib", "pkgutil", "re", "string", "struct", "sys", "textwrap", "tomllib",
               "types", "typing", "abc", "difflib", "tempfile", "contextlib", "glob", "bisect",
               "html", "fnmatch", "keyword"}
    breaches = []
    for path, text in tree.items():
        if not path.startswith("gen/") or not path.endswith(".py"):
            continue
        for name in re.findall(r"^\s*(?:from|import) ([\w.]+)", text, re.MULTILINE):
            if not name.startswith(".") and name.split(".")[0] not in allowed:
                breaches.append(f"{path}: imports {name}")
    return breaches


# Which folder of tests/unit holds the tests of a source file; the most specific path decides. The
# adapters of event loops are headers with code.
TEST_ROOMS: tuple[tuple[str, str], ...] = (
    ("protocol/wire/", "wire"),
    ("server/engine/", "engine"),
    ("server/", "server"),
    ("client/src/", "client"),
    ("client/adapters/", "client"),
    ("client/cli/", "cli"),
)
ONLY_MAIN = {"server/main.c", "server/man/main.c", "client/cli/main.c"}


def is_source(path: str) -> bool:
    suffixes = {".c", ".rl"} | ({".h"} if path.startswith("client/adapters/") else set())
    return Path(path).suffix in suffixes and path not in ONLY_MAIN


def check_unit_tests(tree: Tree) -> list[str]:
    """Each source file has a test file of its own: F_test.c, or FOLDER_F_test.c. Two that share a
    stem cannot share a test."""
    sources: dict[str, list[PurePosixPath]] = {}
    for path in sorted(filter(is_source, tree)):
        room = next((room for prefix, room in TEST_ROOMS if path.startswith(prefix)), None)
        if room is not None:
            stem = PurePosixPath(path).stem
            sources.setdefault(f"tests/unit/{room}/{stem}", []).append(PurePosixPath(path))
    breaches = []
    for test, paths in sources.items():
        folder, stem = test.rsplit("/", 1)
        for path in paths:
            names = [f"{folder}/{path.parent.name}_{stem}_test.c"]
            if len(paths) == 1:
                names.insert(0, f"{test}_test.c")
            if not any(name in tree for name in names):
                breaches.append(f"{path}: has no test of its own: {' or '.join(names)}")
    return breaches


CHECKS: tuple[Callable[[Tree], list[str]], ...] = (
    check_layers, check_bans, check_licences, check_traces, check_version, check_top_level,
    check_generator, check_unit_tests, check_width)

# --- tests ------------------------------------------------------------------------------------

GOOD_HEAD = "/* SPDX-License-Identifier: MIT\n *\n * A file\n * that is\n * planted.\n */\n"


class Structure(unittest.TestCase):
    def test_tree(self) -> None:
        tree = read_tree()
        self.assertGreater(len(tree), 20)
        for check in CHECKS:
            with self.subTest(check=check.__name__):
                self.assertEqual(check(tree), [])


class Unseen(unittest.TestCase):
    def test_generator_and_wire_agree(self) -> None:
        """What a specification may not hold is what a terminal is not given."""
        words = (SOURCE_DIR / "protocol/wire/utf8.c").read_text()
        table = words[words.index("unseen[][2] = {"):words.index("static bool is_shown")]
        ranges = re.findall(r"\{0x([0-9A-F]+), 0x([0-9A-F]+)\}", table)
        in_wire = {point for first, last in ranges
                   for point in range(int(first, 16), int(last, 16) + 1)}
        sys.path.insert(0, str(SOURCE_DIR / "gen"))
        from taugen.load import UNSEEN  # pylint: disable=import-outside-toplevel
        in_generator = {point for point in range(0x110000) if UNSEEN.match(chr(point))}
        self.assertGreater(len(ranges), 10)
        self.assertEqual(in_wire, in_generator)


class PlantedBreaches(unittest.TestCase):
    """Each is put into a small tree that holds every rule; exactly its check must find it."""

    TREE = {
        "server/net/connection.c":
            GOOD_HEAD + "#include <event2/event.h>\n#include \"net/worker.h\"\n",
        "server/net/worker.h": GOOD_HEAD, "server/engine/engine.h": GOOD_HEAD,
        "server/engine/io.c":
            GOOD_HEAD + "#include <fcntl.h>\nint f(void) { return open(\"\", 0); }\n",
        "server/service/write.c": GOOD_HEAD + "#include \"engine/engine.h\"\n",
        "protocol/wire/bytes.h": GOOD_HEAD, "client/include/tau/client.h": GOOD_HEAD,
        "client/cli/main.c": GOOD_HEAD + "#include <tau/client.h>\n", "README.md": "# Tau\n",
        "client/src/core.c": GOOD_HEAD + "#include \"wire/bytes.h\"\n",
    }
    # Each source file of it has its test, and those that are planted as p.c and more.c have one
    # too.
    TREE.update({f"tests/unit/{test}_test.c": GOOD_HEAD for test in (
        "server/connection", "engine/io", "server/write", "client/core", "engine/more", "wire/p",
        "engine/p", "server/p", "client/p", "cli/p")})

    def found(self, path: str, text: str) -> set[str]:
        tree = {**self.TREE, path: text}
        return {check.__name__ for check in CHECKS if check(tree)}

    def expect(self, check: str, path: str, text: str) -> None:
        with self.subTest(path=path, text=text):
            self.assertEqual(self.found(path, GOOD_HEAD + text), {check})

    def test_the_small_tree_is_good(self) -> None:
        self.assertEqual(self.found("server/engine/more.c", GOOD_HEAD), set())

    def test_directions(self) -> None:
        for path, name in (("server/engine/p.c", "net/worker.h"), ("protocol/wire/p.c", "engine.h"),
                           ("server/service/p.c", "net/worker.h"), ("client/src/p.c", "engine.h"),
                           ("server/transport/p.c", "engine/engine.h"),
                           ("server/engine/p.c", "taud_dispatch.h"),
                           ("client/cli/p.c", "wire/bytes.h"), ("client/cli/p.c", "tau_codec.h"),
                           ("client/include/tau/p.h", "wire/bytes.h"),
                           ("server/net/p.c", "service/nowhere.h")):
            self.expect("check_layers", path, f'#include "{name}"\n')

    def test_seams(self) -> None:
        for path, text in (("server/engine/p.c", "#include <sys/socket.h>\n"),
                           ("server/transport/p.c", "#  include <netinet/in.h>\n"),
                           ("server/service/p.c", "#include <event2/event.h>\n"),
                           ("server/main.c", "#include <event2/event.h>\n"),
                           ("client/src/p.c", "#include <poll.h>\n"),
                           ("server/engine/p.c", "#include <fcntl.h>\n"),
                           ("server/engine/p.c", "int f(void) { return fdatasync(3); }\n"),
                           ("server/engine/p.c", "long f(void) { return time(0); }\n"),
                           ("server/engine/p.c", "void f(struct timespec *t)"
                                                 " { clock_gettime(CLOCK_MONOTONIC, t); }\n"),
                           ("server/engine/p.c", "int f(void) { return rand(); }\n"),
                           ("server/engine/p.c", "void *f(void) { return malloc(1); }\n"),
                           ("protocol/wire/p.h", "#include <stdio.h>\n"),
                           ("client/src/p.c", "void f(void) { printf(\"\"); }\n")):
            self.expect("check_bans", path, text)

    def test_the_version_is_derived(self) -> None:
        for path, text in (("client/src/p.c", "char m[] = {'T', 'A', 'U', 1};\n"),
                           ("server/net/p.c", 'char m[] = "TAU\\1";\n'),
                           ("client/src/p.c", 'char m[] = "TAU\\x01";\n')):
            self.expect("check_version", path, text)
        text = "char m[] = {'T', 'A', 'U', TAU_PROTOCOL_VERSION};\n"
        self.assertEqual(self.found("client/src/p.c", GOOD_HEAD + text), set())

    def test_width(self) -> None:
        for path in ("tests/p.py", "client/js/p.js", "client/js/p.d.ts", "tests/p.mjs",
                     "tests/p.c", "tests/p.h", "server/p.rl"):
            self.assertEqual(self.found(path, GOOD_HEAD + "é" * WIDTH), set())
            self.expect("check_width", path, "x" * (WIDTH + 1))

    def test_words_are_no_calls(self) -> None:
        text = ("/* open() and time() are for others. */\n// malloc()\n"
                "void f(struct seam *s) { s->open(\"time()\"); taud_time(); s.write(); }\n")
        self.assertEqual(self.found("server/engine/p.c", GOOD_HEAD + text), set())

    def test_unit_tests(self) -> None:
        for path in ("protocol/wire/q.c", "server/engine/q.c", "server/net/q.c", "server/q.rl",
                     "client/src/q.c", "client/adapters/tau/q.h", "client/cli/plot/q.c",
                     "client/cli/parse/q.rl"):
            self.expect("check_unit_tests", path, "")
        for path in ("server/main.c", "client/cli/main.c", "client/cli/q.h", "server/q.h",
                     "client/examples/q.c", "tests/bench/q.c"):
            self.assertEqual(self.found(path, GOOD_HEAD), set(), path)

    def test_a_test_belongs_to_one_file(self) -> None:
        """Where two share a stem each is named with its folder; that of another room is no help."""
        one, other, shared = "server/net/p.c", "server/observe/p.c", "tests/unit/server/p_test.c"
        named = {f"tests/unit/server/{folder}_p_test.c": "" for folder in ("net", "observe")}
        self.assertEqual(check_unit_tests({one: "", shared: ""}), [])
        self.assertEqual(check_unit_tests({one: "", **named}), [])
        self.assertEqual(len(check_unit_tests({one: "", "tests/unit/engine/p_test.c": ""})), 1)
        self.assertEqual(len(check_unit_tests({one: "", other: "", shared: ""})), 2)
        self.assertEqual(check_unit_tests({one: "", other: "", **named}), [])

    def test_files(self) -> None:
        self.assertEqual(self.found("server/net/p.c", "int x;\n"), {"check_licences"})
        self.assertEqual(self.found("server/net/p.c", "// SPDX-License-Identifier: MIT\nint x;\n"),
                         {"check_licences"})
        self.assertEqual(self.found("server/run", "#!/bin/sh\nexit 0\n"), {"check_licences"})
        self.expect("check_traces", "server/net/p.c", 'const char *f = "/home/me/data";\n')
        self.expect("check_traces", "server/net/p.c", "// TODO: later\n")
        self.expect("check_traces", "server/net/p.c", "\tint x;\n")
        self.expect("check_top_level", "scripts/p.c", "")
        self.assertEqual(self.found("gen/taugen/p.py", "# SPDX-License-Identifier: MIT\n"
                                                       "import yaml\n"), {"check_generator"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
