from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tariff.report.suppression import hide_between, hide_small, is_small


def test_counts_of_one_to_seven_are_small() -> None:
    assert [count for count in range(-1, 10) if is_small(count)] == [1, 2, 3, 4, 5, 6, 7]


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    hidden = hide_small({("A", "x"): 8, ("A", "y"): 0, ("B", "x"): 100})
    assert hidden.cells == frozenset()
    assert hidden.margins == (frozenset(), frozenset())


def test_a_lone_small_count_takes_the_next_smallest_with_it() -> None:
    assert hide_small({("A",): 3, ("B",): 90, ("C",): 40, ("D",): 0}).cells == {("A",), ("C",)}


def test_two_small_counts_need_no_companion() -> None:
    assert hide_small({("A",): 3, ("B",): 90, ("C",): 7}).cells == {("A",), ("C",)}


def test_rows_and_columns_are_both_protected() -> None:
    counts = {("A", "x"): 3, ("A", "y"): 50, ("A", "z"): 60, ("B", "x"): 70, ("B", "y"): 80, ("B", "z"): 90}
    hidden = hide_small(counts).cells
    assert ("A", "x") in hidden
    for line in ([("A", c) for c in "xyz"], [("B", c) for c in "xyz"], *([(r, c) for r in "AB"] for c in "xyz")):
        assert len(hidden.intersection(line)) != 1


def test_a_companion_that_is_all_its_row_holds_takes_its_total_with_it() -> None:
    counts = {("A", "x"): 3, ("A", "y"): 50, ("B", "x"): 70, ("C", "x"): 80, ("C", "y"): 90}
    hidden = hide_small(counts)
    assert ("B", "x") in hidden.cells
    assert "B" in hidden.margins[0]
    assert len(hidden.margins[0]) > 1


def test_what_is_paid_for_a_whole_contract_is_hidden_with_a_companion() -> None:
    counts = {("A", "x"): 100, ("A", "y"): 50, ("B", "x"): 3, ("C", "x"): 4, ("A", None): 0, ("B", None): 0, ("C", None): 0}
    hidden = hide_small(counts, beside={("A", None), ("B", None)})
    assert {("B", None), ("A", None)} <= hidden.cells  # B's is hidden with B; A's, or the total of both would tell it
    assert {("A", "x"), ("A", "y")} & hidden.cells  # or what A is paid in all would tell A's
    assert ("A", None) not in hide_small(counts, beside={("A", None)}).cells


def test_the_only_contract_paid_as_a_whole_takes_its_total_with_it() -> None:
    counts = {("A", "x"): 100, ("A", "y"): 60, ("B", "x"): 3, ("C", "y"): 5, ("B", None): 0}
    hidden = hide_small(counts, beside={("B", None)})
    assert None in hidden.margins[1]
    assert len(hidden.margins[1]) > 1


def test_what_another_table_hides_is_hidden_here() -> None:
    counts = {("A", "x"): 100, ("A", "y"): 60, ("B", "x"): 30, ("B", "y"): 50}
    hidden = hide_small(counts, margins_hidden=[{"A", "B"}, ()])
    assert hidden.margins[0] == {"A", "B"}
    assert len(hidden.cells) == 4


PROVIDERS = {"P1": 97, "P2": 3, "P3": 60, "P4": 40}
PAYERS = {"A": 100, "B": 100}
OF_PAYERS = [("P1", "A"), ("P2", "A"), ("P3", "B"), ("P4", "B")]


def test_what_one_table_hides_another_does_not_tell() -> None:
    """P2 is what A's 100 leaves of P1's 97, though P4 is hidden beside it."""
    assert hide_between((PROVIDERS, PAYERS), ({"P2", "P4"}, ()), OF_PAYERS) == ({"P1", "P3"}, set())
    assert hide_between((PROVIDERS, PAYERS), ({"P1", "P2", "P3", "P4"}, ()), OF_PAYERS) == (set(), set())
    assert hide_between((PROVIDERS, PAYERS), ({"P2", "P4"}, {"A", "B"}), OF_PAYERS) == (set(), set())


def test_a_figure_that_both_tables_hide_is_not_told_by_the_rest_of_its_own() -> None:
    """P1 and P2 are all that the providers' table hides, and so 100 together: A would be what they and the shown P5 leave."""
    providers, payers = {**PROVIDERS, "P5": 50}, {"A": 150, "B": 60, "C": 40}
    met = [("P1", "A"), ("P2", "A"), ("P5", "A"), ("P3", "B"), ("P4", "C")]
    more = hide_between((providers, payers), ({"P1", "P2"}, {"A"}), met)
    assert more[0] | more[1]


def test_tables_whose_values_all_share_lines_tell_each_other_nothing() -> None:
    met = [(provider, payer) for provider in PROVIDERS for payer in PAYERS]
    assert hide_between((PROVIDERS, PAYERS), ({"P2", "P4"}, ()), met) == (set(), set())


def test_an_empty_table_hides_nothing() -> None:
    assert hide_small({}).cells == frozenset()


tables = st.dictionaries(
    st.tuples(st.sampled_from("ABCD"), st.sampled_from("wxyz")), st.one_of(st.integers(0, 12), st.integers(0, 500)), min_size=1
)


@given(tables)
def test_no_small_count_can_be_found_by_subtraction(counts: dict[tuple[str, str], int]) -> None:
    hidden = hide_small(counts)
    assert all(key in hidden.cells for key, count in counts.items() if is_small(count))
    for dimension in (0, 1):
        margins: dict[str, int] = {}
        for key, count in counts.items():
            margins[key[dimension]] = margins.get(key[dimension], 0) + count
        assert all(value in hidden.margins[dimension] for value, count in margins.items() if is_small(count))
        shown = [value for value in margins if value not in hidden.margins[dimension] and margins[value]]
        assert len(hidden.margins[dimension]) != 1 or not shown
        for value, total in margins.items():
            line = [key for key in counts if key[dimension] == value]
            alone = hidden.cells.intersection(line)
            others = [key for key in line if counts[key] and key not in alone]
            assert len(alone) != 1 or not others
            assert len(alone) != 1 or not total or value in hidden.margins[dimension], "the total would tell it"


@given(tables)
def test_hiding_is_the_same_whatever_the_order(counts: dict[tuple[str, str], int]) -> None:
    turned = dict(reversed(counts.items()))
    assert hide_small(counts).cells.issuperset(key for key, count in counts.items() if is_small(count))
    assert hide_small(turned).margins == hide_small(turned).margins
