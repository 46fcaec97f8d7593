"""The order of evaluation, and tags that are made from themselves."""

from gateway.tags.computed.order import find_cycles, inputs_of, levels

PLANT = {"h.a": ("b.x",), "h.b": ("h.a", "b.y"), "h.c": ("h.b", "h.a"), "h.d": ("b.x", "b.y")}


def test_a_tag_is_evaluated_after_all_that_it_is_made_from() -> None:
    assert levels(PLANT) == {"h.a": 0, "h.b": 1, "h.c": 2, "h.d": 0}


def test_a_long_chain_and_many_diamonds_are_no_trouble() -> None:
    chain = {f"h.{place}": (f"h.{place - 1}", f"h.{max(place - 2, 0)}") for place in range(1, 5000)}
    assert levels(chain)["h.4999"] == 4998
    assert find_cycles(chain) == []


def test_tags_without_a_cycle_have_none() -> None:
    assert find_cycles(PLANT) == []


def test_a_cycle_is_named_from_its_first_tag_round_to_it() -> None:
    assert find_cycles({"h.a": ("h.b",), "h.b": ("b.x", "h.c"), "h.c": ("h.a",), "h.d": ("h.a",)}) == [
        ("h.a", "h.b", "h.c", "h.a")
    ]


def test_a_tag_made_from_itself_is_the_shortest_cycle() -> None:
    assert find_cycles({"h.a": ("h.a",), "h.b": ("h.b", "h.a")}) == [("h.a", "h.a"), ("h.b", "h.b")]


def test_the_inputs_of_tags_are_found_through_others_too() -> None:
    assert inputs_of({"h.c"}, PLANT) == {"h.b", "h.a", "b.x", "b.y"}
    assert inputs_of({"h.a", "b.y"}, PLANT) == {"b.x"}
    assert inputs_of({"b.y"}, PLANT) == set()
