"""What the agent answers: paths, calls, values, exceptions and output of student code of every kind.

Through the in-process transport, which carries the same frames as the sandbox's.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from grader.inside import codec, media_types, output
from grader.inside.agent import Agent
from grader.model.errors import AuthorError, CallTimedOut, CheckError, StudentError, UnsupportedValue
from grader.session.in_process import FrameList, InProcessTransport, LocalNotebook
from grader.session.proxy import Proxy, Student
from grader.session.session import Session

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")

NOTEBOOK = """
import collections, dataclasses, enum, itertools, logging, sys, threading, warnings
import numpy as np, torch

def identity(value): return value
def evaluate(source): return eval(source)
def run(source): exec(source, globals())

class Layer:
    def __init__(self, n=2):
        self.params = {"W": np.ones((n, n)), 3: "three", (1, "a"): [0, {"deep": None}]}
        self.n = n
    @property
    def broken(self): raise ValueError("broken property")
    def forward(self, X): return X @ self.params["W"]
    def __getitem__(self, key): return key

layer = Layer()
put = "mine"

def spoil(a, b):
    a *= 0; b[0].append(1); b[1]["x"] = 2
    return a

class Rude(Exception):
    def __str__(self): raise RuntimeError("no text")

class Liar(type):
    @property
    def __name__(cls): raise SystemExit

class Worse(Exception, metaclass=Liar):
    def __str__(self): raise KeyboardInterrupt

class Color(enum.IntEnum): RED = 1
class Name(str, enum.Enum): A = "a"
class Plain(dict):
    def __getitem__(self, key): raise KeyError(key)
class Point(collections.namedtuple("Point", "x y")):
    def norm(self): return self.x
class Rebel(int):
    def __int__(self): raise ValueError
    __index__ = __int__
class Vocabulary(dict):
    def encode(self, text): return [self[letter] for letter in text]
class Pretender:
    __class__ = dict

@dataclasses.dataclass
class Facts:
    mean: float
    name: str

def take(numbers, n): return list(itertools.islice(numbers, n))
def fail(kind, *arguments): raise eval(kind)(*arguments)
def recurse(n): return recurse(n + 1)
"""


@pytest.fixture
def session() -> Iterator[Session]:
    names: dict[str, object] = {"__name__": "__main__"}
    exec(NOTEBOOK, names)
    with LocalNotebook(names).copy(seed=1, seconds=20) as opened:
        yield opened


@pytest.fixture
def student(session: Session) -> Student:
    return session.student


# -- paths, calls, assignment --------------------------------------------------------------------------


def test_paths_of_attributes_and_keys_reach_values(student):
    assert student.layer.params["W"].value.tolist() == [[1, 1], [1, 1]]
    assert student["layer"].params[3].value == "three"
    assert student.layer.params[1, "a"][1]["deep"].value is None
    assert student.layer["any"].value == "any"
    assert student.layer.params[student.layer.n].__class__ is Proxy


def test_a_proxy_may_be_a_key_on_a_path(student):
    assert student.layer[student.layer.n].value == 2


def test_calls_take_and_give_plain_data_and_objects(student):
    layer = student.Layer(n=3)
    assert type(layer) is Proxy
    assert layer.forward(np.eye(3)).tolist() == np.ones((3, 3)).tolist()
    several = student.identity({"a": layer, "b": [1, layer]})
    assert several["a"].n.value == 3
    assert several["b"][1].n.value == 3
    assert student.identity([layer.params["W"]])[0].shape == (3, 3)
    assert student.identity(value=layer.n) == 3


def test_assignment_writes_through(student):
    student.layer.n = 7
    student.layer.params["W"] = np.full((1, 1), 5)
    student.identity = student.Layer
    student.put = 3
    assert student.layer.n.value == 7
    assert student.layer.forward(np.eye(1)).tolist() == [[5]]
    assert type(student.identity(2)) is Proxy
    assert student["put"].value == 3


def test_names_of_verbs_are_reached_by_key_and_nothing_is_fetched_from_the_notebook_as_a_whole(student):
    assert student["put"].value == "mine"
    assert student.put(4).value == 4
    with pytest.raises(CheckError):
        _ = student.value
    assert student.has("layer")
    assert not student.has("printed")


def test_arguments_are_private_writable_copies(student):
    mine, more = np.ones(3), [[], {}]
    assert student.spoil(mine, more).tolist() == [0, 0, 0]
    assert mine.tolist() == [1, 1, 1]
    assert more == [[], {}]


def test_a_value_fetched_is_a_private_copy(student):
    student.layer.params["W"].value[:] = 9
    assert student.layer.params["W"].value.max() == 1


def test_provided_source_runs_in_a_module_of_its_own_with_its_own_future(student):
    given = student.provide("def double(x: int): return 2 * x\nkinds = list(double.__annotations__.values())")
    assert given.double(4) == 8
    assert given.kinds[0].__class__ is Proxy
    assert type(student.identity(given.kinds)[0]) is Proxy  # the class int, not the text "int"
    assert not student.has("double")
    with pytest.raises(AuthorError, match="not Python"):
        student.provide("def")


def test_a_proxy_of_another_check_is_refused(student):
    with (
        LocalNotebook({"f": abs}).copy(seed=1, seconds=5) as other,
        pytest.raises(AuthorError, match="another check"),
    ):
        other.student.f(student.layer)


# -- values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("torch.arange(3.)", np.arange(3, dtype=np.float32)),
        ("torch.ones(2, requires_grad=True) * 2", np.full(2, 2, np.float32)),
        ("torch.nn.Parameter(torch.zeros(1))", np.zeros(1, np.float32)),
        ("torch.tensor([1.5], dtype=torch.bfloat16)", np.float32([1.5])),
        ("torch.tensor([1.5], dtype=torch.float8_e4m3fn)", np.float32([1.5])),
        ("torch.eye(2).to_sparse()", np.eye(2, dtype=np.float32)),
        ("torch.tensor([1j]).conj()", np.array([-1j], np.complex64)),
        ("torch.tensor(5)", np.array(5)),
        ("torch.tensor([True])", np.array([True])),
        ("np.matrix([[1, 2]])", np.array([[1, 2]])),
        ("np.ma.masked_array([1, 2], [0, 1])", np.array([1, 2])),
        ("np.ones(2, np.longdouble)", np.ones(2)),
        ("np.arange(3)[::-1]", np.array([2, 1, 0])),
    ],
)
def test_arrays_in_disguise_come_as_arrays(student, source, expected):
    returned, inside = student.evaluate(source), student.evaluate(f"[{source}]")[0]
    student.run(f"kept = {source}")
    for value in (returned, inside, student.kept.value):
        assert type(value) is np.ndarray
        assert value.dtype == expected.dtype
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("collections.OrderedDict(b=1, a=2)", {"b": 1, "a": 2}),
        ("collections.defaultdict(list, a=[1])", {"a": [1]}),
        ("collections.namedtuple('P', 'x y')(1, 2)", (1, 2)),
        ("torch.ones(2, 3).shape", (2, 3)),
        ("np.longdouble(1.5)", 1.5),
        ("np.str_('a')", "a"),
        ("np.float32(0.5)", np.float32(0.5)),
        ("10**100", 10**100),
        ("{1: 'a', (2, 'x'): None}", {1: "a", (2, "x"): None}),
    ],
)
def test_containers_and_numbers_in_disguise_come_as_themselves(student, source, expected):
    value = student.evaluate(source)
    assert value == expected
    assert type(value) in (type(expected), np.float64)


@pytest.mark.parametrize(
    "source",
    [
        "np.array([[1, 2], [3]], dtype=object)",
        "np.array([b'a'])",
        "{np.float64: 1}",
        "{torch.nn.Parameter(torch.zeros(1)): 1}",
        "[0] * 200_000",
        "'x' * 2_000_000",
        "1 << 5000",
        "range(10**9)",
        "itertools.count()",
        "object()",
        "lambda: 1",
        "Layer",
    ],
)
def test_what_cannot_cross_comes_as_a_proxy_that_has_no_plain_value(student, source):
    """The call itself never fails: the check may only want to hand the object on."""
    proxy = student.evaluate(source)
    assert type(proxy) is Proxy
    with pytest.raises(UnsupportedValue, match="cannot be checked"):
        _ = proxy.value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{1, 2}", {1, 2}),
        ("frozenset('a')", frozenset("a")),
        ("range(3)", range(3)),
        ("collections.Counter('aab')", {"a": 2, "b": 1}),
        ("(x for x in 'ab')", ["a", "b"]),
        ("zip([1], 'a')", [(1, "a")]),
        ("{'a': 1}.keys()", ["a"]),
        ("np.array(['a', 'bc'])", ["a", "bc"]),
        ("np.array([None, 1])", [None, 1]),
        ("np.array(['2024-02-29'], 'M8[D]')", np.array(["2024-02-29"], "M8[D]").tolist()),
        ("Color.RED", 1),
        ("Name.A", "a"),
        ("Plain(a=1)", {"a": 1}),
        ("Point(1, 2)", (1, 2)),
        ("Rebel(7)", 7),
    ],
)
def test_what_only_looks_different_comes_as_plain_data(student, source, expected):
    value = student.evaluate(source)
    value = value.tolist() if isinstance(value, np.ndarray) else value
    assert value == expected
    assert type(value) is type(expected)


def test_containers_that_are_more_than_their_entries_stay_objects(student):
    vocabulary = student.evaluate("Vocabulary({'a': 3})")
    assert type(vocabulary) is Proxy
    assert vocabulary.encode("aa") == [3, 3]
    assert vocabulary["a"].value == 3
    assert vocabulary.value == {"a": 3}


def test_a_data_class_is_an_object_whose_value_is_its_fields(student):
    facts = student.evaluate("Facts(mean=1.5, name='x')")
    assert type(facts) is Proxy
    assert facts.mean.value == 1.5
    assert facts.value == {"mean": 1.5, "name": "x"}


def test_an_endless_iterator_loses_nothing_on_the_way(student):
    numbers = student.evaluate("itertools.count()")
    assert student.take(numbers, 2) == [0, 1]
    batches = student.evaluate("(np.zeros(1 << 20) for _ in itertools.count())")
    assert type(batches) is Proxy


def test_an_error_half_way_through_an_iterator_is_the_students(student):
    with pytest.raises(StudentError, match="division by zero"):
        student.evaluate("(1 / x for x in [1, 0])")


def test_an_object_that_lies_about_its_class_costs_nothing(student):
    assert type(student.evaluate("Pretender()")) is Proxy


def test_a_coroutine_is_waited_for(student):
    student.run("async def later(x):\n    import asyncio\n    await asyncio.sleep(0)\n    return x + 1")
    assert student.later(2) == 3


# -- exceptions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        ("ValueError", ("bad shape",), "ValueError: bad shape"),
        ("SystemExit", (3,), "SystemExit: 3"),
        ("KeyboardInterrupt", (), "KeyboardInterrupt"),
        ("GeneratorExit", (), "GeneratorExit"),
        ("KeyError", ("W",), "KeyError: 'W'"),
        ("Rude", (), "Rude: (its text cannot be shown)"),
        ("Worse", (), "Worse: (its text cannot be shown)"),
        ("ValueError", ("x" * 100_000,), "ValueError: " + "x" * 2000),
    ],
)
def test_exceptions_arrive_by_name_and_text_and_the_session_goes_on(student, kind, arguments, said):
    with pytest.raises(StudentError) as caught:
        student.fail(kind, *arguments)
    assert caught.value.said == said
    assert "in fail" in caught.value.traceback
    assert "agent.py" not in caught.value.traceback
    assert student.identity(1) == 1


def test_endless_recursion_is_an_exception(student):
    with pytest.raises(StudentError, match="maximum recursion") as caught:
        student.recurse(0)
    assert len(caught.value.traceback) < 5000


def test_what_is_missing_is_named_as_python_names_it(student):
    for ask, kind in [
        (student.nothing, "NameError"),
        (lambda: student.layer.nothing.value, "AttributeError"),
        (lambda: student.layer.params["b"].value, "KeyError"),
        (lambda: student.layer.broken.value, "ValueError"),
        (lambda: student.identity(1, 2), "TypeError"),
        (lambda: student.layer(1), "TypeError"),
    ]:
        with pytest.raises(StudentError) as caught:
            ask()
        assert caught.value.kind == kind


# -- output ---------------------------------------------------------------------------------------------


def test_prints_are_kept_apart_from_values(student, session):
    student.run("print('to stdout'); print('to stderr', file=sys.stderr)")
    assert student.printed() == "to stdout\n"
    assert session.written == "to stdout\nto stderr\n"


@pytest.mark.parametrize("letter", ["a", "é", "😀"])
def test_long_output_is_cut_and_costs_nothing(student, letter):
    assert student.evaluate(f"print({letter!r} * 1_000_000) or 5") == 5
    printed = student.printed()
    assert printed.startswith(letter * output.MAX_TEXT)
    assert printed.endswith("[output truncated]\n")
    assert student.evaluate("print('again')") is None


def test_many_small_prints_arrive_in_order(student):
    student.run("for i in range(3000): print(i)")
    assert student.printed().split() == [str(number) for number in range(3000)]


@pytest.mark.parametrize("close", ["sys.stdout.close()", "sys.stdout.flush()", "with sys.stdout: pass"])
def test_closing_stdout_costs_nothing(student, close):
    student.run(f"{close}\nprint('still here')")
    assert student.printed() == "still here\n"


@pytest.mark.parametrize("what", ["b'bytes'", "None"])
def test_stdout_takes_text_only_as_elsewhere(student, what):
    with pytest.raises(StudentError, match="must be str"):
        student.run(f"sys.stdout.write({what})")


def test_a_left_over_thread_that_prints_breaks_nothing(student):
    student.run(
        "stop = threading.Event()\n"
        "def chatter():\n"
        "    while not stop.is_set(): real.write('x' * 5000)\n"
        "real = sys.stdout\n"
        "thread = threading.Thread(target=chatter); thread.start()"
    )
    try:
        assert [student.identity(number) for number in range(100)] == list(range(100))
    finally:
        student.run("stop.set(); thread.join()")


def test_a_logging_handler_that_kept_an_old_stderr_breaks_nothing(student):
    student.run("handler = logging.StreamHandler(sys.stderr); logging.getLogger('own').addHandler(handler)")
    student.run("logging.getLogger('own').error('late')")
    assert student.identity(1) == 1


def test_warnings_as_errors_are_the_students_own_affair(student):
    student.run("import warnings; warnings.simplefilter('error')")
    with pytest.raises(StudentError, match=r"^x$"):
        student.run("warnings.warn('x')")
    assert student.evaluate("torch.eye(2).to_sparse()").tolist() == [[1, 0], [0, 1]]


def test_only_png_pictures_are_shown_and_large_ones_too():
    frames = FrameList()
    agent = Agent({}, frames)
    agent.output.begin()
    agent.output.display({"text/plain": "x", "text/html": "<script>"})
    agent.output.display({"image/png": "A" * (codec.MAX_TREE + 1)})
    agent.output.display({"image/png": "A" * (media_types.MAX_PICTURE + 1)})
    agent.output.display({"image/png": b"bytes"})
    agent.output.finish()
    assert len(frames.frames) == 1
    assert len(frames.frames[0][2]) == codec.MAX_TREE + 1


def test_recorded_evidence_is_sent_as_json_beside_its_picture():
    sent: list[dict[str, bytes]] = []
    collected = output.Output(lambda *_: None, sent.append)
    collected.display({media_types.EVIDENCE: {"item": "between requests"}})
    collected.begin()
    collected.display({"image/png": "AAAA", media_types.EVIDENCE: {"item": "1", "data": {"loss": [0.5]}}})
    for value in (
        '{"item": "as text"}',
        "\ud800",
        "x" * (media_types.MAX_RECORDING + 1),
        {"a": object()},
        5,
        None,
    ):
        collected.display({media_types.EVIDENCE: value})
    collected.display({media_types.EVIDENCE: {"a": "x" * media_types.MAX_RECORDING}})
    ring: dict[str, object] = {}
    ring["a"] = ring
    collected.display({media_types.EVIDENCE: ring})
    assert sent == [
        {"image/png": b"AAAA", media_types.EVIDENCE: b'{"item": "1", "data": {"loss": [0.5]}}'},
        {media_types.EVIDENCE: b'{"item": "as text"}'},
        {media_types.EVIDENCE: b"?"},
    ]
    for _ in range(100):
        collected.display({media_types.EVIDENCE: {}})
    assert len(sent) == media_types.MAX_RECORDINGS


def test_text_of_two_streams_keeps_its_order():
    told: list[tuple[str, str]] = []
    collected = output.Output(lambda name, text: told.append((name, text)), lambda _: None)
    collected.begin()
    for name in "aabba":
        collected.write(name, name)
    collected.finish()
    collected.write("a", "between requests")
    assert told == [("a", "aa"), ("b", "bb"), ("a", "a")]


# -- time ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="no timers here")
@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "try:\n    while True: pass\nexcept BaseException: print('swallowed')",
        "class Slow(Exception):\n    def __str__(self):\n        while True: pass\nraise Slow",
    ],
    ids=["loop", "swallowed", "in __str__"],
)
def test_a_call_that_does_not_end_is_stopped(session, source):
    with pytest.raises(CallTimedOut, match=r"0\.2 s"):
        session.request("call", session.student.run, [source], {}, seconds=0.2)
    assert session.student.identity(1) == 1


def test_a_session_without_a_shell_runs_no_cells():
    session = Session(InProcessTransport({}), seconds=5)
    with pytest.raises(StudentError, match="no cells"):
        session.request("cell", b"1")


def test_an_unknown_operation_is_answered_with_an_error():
    session = Session(InProcessTransport({}), seconds=5)
    with pytest.raises(KeyError):
        session.request("open_the_door")
