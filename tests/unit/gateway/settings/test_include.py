from pathlib import Path

import pytest

from gateway.settings.load import examine, load

DEVICE = "devices: {%s: {driver: memory, tags: {level: {address: a}}}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)


def problems() -> list[str]:
    return [str(problem) for problem in examine("plant.yaml", {}).problems]


def test_files_are_found_from_the_file_that_includes_them(folder: Path) -> None:
    put(
        {
            "plant.yaml": "gateway: {id: x}\ninclude: units/all.yaml\n",
            "units/all.yaml": "include: [a.yaml, b.yaml]\n",
            "units/a.yaml": DEVICE % "a",
            "units/b.yaml": DEVICE % "b",
        }
    )
    assert list(load("plant.yaml").settings.devices) == ["a", "b"]


def test_constraints_of_all_files_are_judged_in_the_order_of_inclusion(folder: Path) -> None:
    constraint = "safety: {constraints: [{name: %s, kind: threshold, tag: a.level, max: 1, level: low}]}\n"
    put(
        {
            "plant.yaml": "gateway: {id: x}\ninclude: [a.yaml, b.yaml]\n" + constraint % "own",
            "a.yaml": DEVICE % "a" + constraint % "first",
            "b.yaml": constraint % "second",
        }
    )
    assert [each.name for each in load("plant.yaml").settings.safety.constraints] == ["own", "first", "second"]


def test_a_file_that_includes_itself_is_refused(folder: Path) -> None:
    put({"plant.yaml": "gateway: {id: x}\ninclude: ./plant.yaml\n"})
    assert problems() == [
        "plant.yaml:2:10: include: the files include each other in a circle: plant.yaml -> plant.yaml"
    ]


@pytest.mark.parametrize("wrong", ["3", "[{}]", "{a: b}", ""])
def test_include_takes_names_only(folder: Path, wrong: str) -> None:
    put({"plant.yaml": f"gateway: {{id: x}}\ninclude: {wrong}\n"})
    assert len(problems()) == 1
    assert problems()[0].endswith("include: needs the name of a file, or a list of names")


def test_problems_are_told_file_by_file_in_the_order_of_inclusion(folder: Path) -> None:
    put({"plant.yaml": "gateway: {id: x}\ninclude: [z.yaml, a.yaml]\nlogging: {level: x}\n", "z.yaml": "q: 1\n"})
    put({"a.yaml": "r: 1\n"})
    assert [problem.split(":")[0] for problem in problems()] == ["plant.yaml", "z.yaml", "a.yaml"]


def test_a_register_map_cannot_use_another(folder: Path) -> None:
    put({"plant.yaml": "gateway: {id: x}\ndevices: {a: {use: m}}\n", "m.yaml": "use: n\n"})
    assert problems() == ["m.yaml:1:1: devices.a.use: a register map cannot use another"]


def test_a_map_beside_the_configuration_wins_over_a_shipped_one(folder: Path) -> None:
    put(
        {
            "plant.yaml": "gateway: {id: x}\ndevices: {meter: {use: devices/eastron-sdm630}}\n",
            "devices/eastron-sdm630.yaml": "driver: memory\ntags: {only: {address: a}}\n",
        }
    )
    assert [tag.name for tag in load("plant.yaml").settings.devices["meter"].tags] == ["only"]
