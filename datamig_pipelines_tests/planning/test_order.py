"""Parents before children."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from datamig_pipelines.planning.order import parents_first

GRAPHS = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.permutations(list(range(n))),
        st.dictionaries(st.integers(0, n - 1), st.lists(st.integers(0, n), max_size=4)),
    )
)


@given(GRAPHS)
def test_order_holds_every_name_once(graph):
    """Nothing is lost and nothing is doubled, whatever the references."""
    names, parents = graph

    assert sorted(parents_first(names, parents)[0]) == sorted(names)


@given(GRAPHS)
def test_order_satisfies_all_references_but_the_broken_ones(graph):
    """A parent that is known stands before its child, or the reference is reported."""
    names, parents = graph
    order, broken = parents_first(names, parents)
    place = {name: i for i, name in enumerate(order)}
    wrong = {
        (child, parent)
        for child in names
        for parent in parents.get(child, ())
        if parent in place and place[parent] >= place[child]
    }

    assert wrong <= set(broken)


@given(GRAPHS)
def test_no_reference_is_broken_without_a_ring(graph):
    """A reference is given up only if its parent leads back to the child."""
    names, parents = graph
    known = {n: [p for p in parents.get(n, ()) if p in names] for n in names}

    def ancestors(name):
        found, left = set(), [name]
        while left:
            more = [p for p in known[left.pop()] if p not in found]
            found.update(more)
            left += more
        return found

    broken = parents_first(names, parents)[1]

    assert [(c, p) for c, p in broken if c != p and c not in ancestors(p)] == []


def test_order_is_the_same_in_every_process():
    """The plan's fingerprint depends on the order, so a hash seed must not."""
    program = (
        "from datamig_pipelines.planning.order import parents_first\n"
        "names = [f't{i}' for i in range(30)]\n"
        "print(parents_first(names, {n: [names[(7 * i + k) % 30] for k in range(6)] "
        "for i, n in enumerate(names)}))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(said) == 1
