from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings.findings import Findings
from gateway.settings.tree import Member as Start
from gateway.settings.tree import Node, follow, plain
from gateway.settings.yaml_source import MAX_DEPTH, parse

GOLDEN = Path(__file__).parents[3] / "golden" / "configuration"
PARSERS = [yaml.SafeLoader, pytest.param(getattr(yaml, "CSafeLoader", None), id="libyaml")]


def read(text: str, loader: type = yaml.SafeLoader) -> tuple[Node | None, list[str]]:
    findings = Findings(Path())
    root = parse(text, "plant.yaml", findings, loader)
    return root, [str(problem) for problem in findings.problems]


def value_of(text: str) -> object:
    root, problems = read(f"key: {text}\n")
    assert root is not None
    assert problems == []
    return plain(root, ())["key"]


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "On", "OFF", "y", "N", "tRUE"])
def test_words_that_older_yaml_takes_for_booleans_are_texts(word: str) -> None:
    assert value_of(word) == word


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("12", 12),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("0123", 123),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
    ],
)
def test_scalars_are_read_by_the_core_schema(text: str, meant: object) -> None:
    read_as = value_of(text)
    assert read_as == meant
    assert isinstance(read_as, type(meant))


@pytest.mark.parametrize("text", ["12:30:45", "2026-01-02", "1_000", "0b11", "1,5", "'12'", "a: b".replace(": ", ":")])
def test_times_dates_and_quoted_numbers_are_texts(text: str) -> None:
    assert value_of(text) == text.strip("'")


def test_a_number_remembers_how_it_was_written() -> None:
    assert getattr(value_of("00017"), "text", None) == "00017"
    assert getattr(value_of("1.50"), "text", None) == "1.50"


def test_a_number_of_very_many_digits_is_a_text() -> None:
    assert value_of("9" * 5000) == "9" * 5000


@pytest.mark.parametrize("loader", PARSERS)
def test_every_key_and_value_knows_its_place(loader: type) -> None:
    root, _ = read("a: 1\nb:\n  c: [x, {d: 2}]\n", loader)
    assert root is not None
    start = Start(root.mark, root)
    places = {
        ("a",): (1, 4),
        ("b",): (2, 1),
        ("b", "c", 0): (3, 7),
        ("b", "c", 1): (3, 10),
        ("b", "c", 1, "d"): (3, 14),
    }
    for steps, place in places.items():
        assert follow(start, steps)[2][1:] == place


def test_a_later_key_does_not_replace_an_earlier_one() -> None:
    root, problems = read("a: 1\nb: 2\na: 3\n")
    assert root is not None
    assert plain(root, ()) == {"a": 1, "b": 2}
    assert problems == ["plant.yaml:3:1: a: defined twice; the first is in line 1"]


def test_own_keys_win_over_merged_ones() -> None:
    root, problems = read("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\none: {<<: [*b, *m], x: 9}\n")
    assert problems == []
    assert root is not None
    assert plain(root, ())["one"] == {"x": 9, "y": 2, "z": 4}


def test_an_alias_to_what_is_not_finished_is_refused() -> None:
    assert read("a: &a [*a]\n") == (
        None,
        ["plant.yaml:1:8: a[1]: there is no anchor &a above; a text that begins with * needs quotes"],
    )


@pytest.mark.parametrize("loader", PARSERS)
def test_nesting_has_an_end(loader: type) -> None:
    root, problems = read("a: " + "[" * 10_000, loader)
    assert root is None
    assert problems == [f"plant.yaml:1:{3 + MAX_DEPTH}: nested deeper than {MAX_DEPTH} levels"]


def test_aliases_cannot_nest_deeper_than_brackets_can() -> None:
    ladder = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, MAX_DEPTH + 5))
    root, problems = read(ladder)
    assert root is None
    assert problems[0].endswith(f"nested deeper than {MAX_DEPTH} levels")


@pytest.mark.parametrize("escape", [r"\0", r"\e[31m", r"\x7f"])
def test_an_escape_cannot_bring_an_unprintable_character(escape: str) -> None:
    for text in (f'a: "x{escape}"\n', f'"x{escape}": 1\n'):
        root, problems = read(text)
        assert root is None
        assert "unprintable" in problems[0]


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="PyYAML was built without libyaml")
@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*/input.yaml")), ids=lambda file: file.parent.name)
def test_both_parsers_say_the_same(file: Path) -> None:
    text = file.read_text(encoding="utf-8", errors="replace")
    slow, slow_problems = read(text, yaml.SafeLoader)
    fast, fast_problems = read(text, yaml.CSafeLoader)
    assert slow_problems == fast_problems
    assert (slow is None) == (fast is None)
    if slow is not None and fast is not None:
        assert repr(plain(slow, ())) == repr(plain(fast, ()))  # NaN is unlike itself, and written alike


YAML_LIKE = st.text(st.sampled_from("ab1 :-\n\t[]{},&*!|>'\"%@`#?~<$.\\\x00é"), max_size=60)


@given(YAML_LIKE)
def test_any_text_gives_a_tree_or_a_problem_in_one_line(text: str) -> None:
    root, problems = read(text)
    assert root is not None or problems
    assert not any("\n" in problem for problem in problems)
