"""A benchmark's goals are met by figures within their bounds, and by nothing else."""

from scripts.benchmarks.goals import Goal, report


def test_both_bounds_are_included() -> None:
    goal = Goal(at_least=1, at_most=2)
    assert [goal.met_by(figure) for figure in (0.99, 1, 1.5, 2, 2.01)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_a_missing_figure_meets_nothing() -> None:
    result = report(name="b", figures={"a": 1}, goals={"other": Goal(at_least=0)})
    assert result["met"] is False


def test_reports_figures_goals_and_the_verdict() -> None:
    assert report(name="b", figures={"ratio": 1.23456}, goals={"ratio": Goal(at_most=1.5)}) == {
        "name": "b",
        "figures": {"ratio": 1.2346},
        "goals": {"ratio": {"at_most": 1.5}},
        "met": True,
    }
