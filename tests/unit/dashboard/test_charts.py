"""Small charts as geometry."""

from rota.dashboard.charts import bars, line


def test_bars_stack_up_to_the_edge() -> None:
    chart = bars({"good": [1, 5], "bad": [1, 0]}, ["a", "b"], ("then", "now"), "text")
    assert chart.top == 5
    first, second = chart.bars
    assert [(one.kind, one.y, one.height) for one in first.parts] == [
        ("good", 81.6, 18.4),
        ("bad", 63.2, 18.4),
    ]
    assert [(one.kind, one.y) for one in second.parts] == [("good", 8.0)]


def test_a_line_has_gaps_and_a_moment_alone_is_a_dot() -> None:
    chart = line({"run": [0.1, None, 0.2, 0.2]}, list("abcd"), ("then", "now"), "text")
    assert chart.paths == {"run": "M60.0 54.0L60.0 54.0M360.0 8.0L360.0 8.0L510.0 8.0"}


def test_nothing_is_drawn_where_nothing_was() -> None:
    chart = bars({"good": [0]}, ["a"], ("then", "now"), "text")
    assert (chart.top, chart.bars[0].parts) == (1.0, [])
