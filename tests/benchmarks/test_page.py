"""What the benchmarks say of their figures. They themselves run apart: nothing here looks at a clock."""

from __future__ import annotations

from tests.benchmarks.figures import Figure, difference, interleaved, of_rounds, ratio
from tests.benchmarks.page import figure_lines, replay_lines
from tests.benchmarks.replay import COLUMNS, SUBJECTS, middle


def test_a_figure_is_met_at_its_limit_and_on_the_right_side_of_it() -> None:
    assert [Figure("x", value, "ms", 15).is_met for value in (14, 15, 16)] == [True, True, False]
    rates = [Figure("x", value, "1/s", 500, is_floor=True) for value in (499, 500, 501)]
    assert [rate.is_met for rate in rates] == [False, True, True]


def test_what_is_not_met_stands_out() -> None:
    figures = [ratio("ours / theirs", 0.002, 0.001, 1.3), Figure("rate", 600, "1/s", 500, True)]
    assert list(figure_lines(figures))[2:] == [
        "| ours / theirs | 2 times (2.00 against 1.00 ms) | ≤ 1.3 | **not met** |",
        "| rate | 600 1/s | ≥ 500 | met |",
    ]


def test_the_middle_of_three_rounds_is_shown_with_the_spread_and_how_often_it_was_met() -> None:
    rounds = [Figure("x", value, "ms", 15, note=f"of {value}") for value in (16, 9, 14)]
    shown = of_rounds(rounds)
    assert (shown.value, shown.note, shown.is_met) == (14, "of 14", False)
    assert list(figure_lines([shown, of_rounds(rounds[1:]), of_rounds(rounds[:1])]))[2:] == [
        "| x | 14 ms (9 to 16; of 14) | ≤ 15 | met in 2 of 3 rounds |",
        "| x | 14 ms (9 to 14; of 14) | ≤ 15 | met |",
        "| x | 16 ms (of 16) | ≤ 15 | **not met** |",
    ]


def test_the_table_of_several_rounds_has_their_medians() -> None:
    tables = [{"shared": {"ours": ours, "theirs": 5.0}} for ours in (3.0, 1.0, 2.0)]
    assert middle(tables) == {"shared": {"ours": 2.0, "theirs": 5.0}}


def test_jobs_are_done_in_turn_and_the_median_counts() -> None:
    done: list[str] = []
    values = {"a": iter([1.0, 9.0, 2.0]), "b": iter([5.0, 4.0, 6.0])}

    def job(name: str) -> float:
        done.append(name)
        return next(values[name])

    found = interleaved({"a": lambda: job("a"), "b": lambda: job("b")}, 3)
    assert (found, "".join(done)) == ({"a": 2.0, "b": 5.0}, "ababab")


def test_every_subject_has_a_row_with_every_column() -> None:
    names = [subject.name for subject in SUBJECTS]
    table = {column: dict.fromkeys(names, 0.0015) for column in COLUMNS}
    lines = list(replay_lines(table, {names[0]: 2.34}))
    assert len(lines) == 2 + len(names)
    assert lines[2] == f"| {names[0]} |" + " 1.50 |" * len(COLUMNS) + " 2.3 |"


def test_pairs_change_who_comes_first_and_their_median_difference_counts() -> None:
    done: list[str] = []
    times = {"more": [3.0, 9.0, 5.0], "less": [1.0, 2.0, 4.0]}

    def job(name: str) -> float:
        done.append(name)
        return times[name].pop(0)

    assert difference(lambda: job("more"), lambda: job("less"), 3) == 2.0
    assert done == ["more", "less", "less", "more", "more", "less"]
