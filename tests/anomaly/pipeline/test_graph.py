"""The graph of the pipeline, without Spark: its nodes may make anything of anything."""

import pytest

from anomaly.pipeline.graph import Graph, Node
from anomaly.pipeline.nodes import GRAPH
from anomaly.pipeline.stages import STAGES
from anomaly.run import CHECKED, RAW, Frame
from anomaly.schema.inputs import HISTORY
from runners.composer.shapes import SHAPES
from runners.services.materializer import MATERIALIZATIONS

A, B, C, D, E = list(Frame)[:5]


def joined(request, *inputs):
    return "(" + " ".join(str(one) for one in inputs) + ")"


def test_what_is_wanted_is_made_of_what_is_given_and_nothing_else_is():
    graph = Graph(Node(C, joined, (A, B)), Node(D, joined, (C,)), Node(E, joined, (A,)))
    seen = []

    def keep(name, frame):
        seen.append(name)
        return f"kept{frame}"

    made = graph.make([D], {A: "a", B: "b"}, None, keep)
    assert made == {A: "a", B: "b", C: "kept(a b)", D: "kept(kept(a b))"}
    assert seen == [C, D]
    # Of a frame that is given nothing before it is made.
    assert graph.make([D], {C: "c"}, None) == {C: "c", D: "(c)"}


def test_a_frame_without_its_inputs_is_left_out_and_an_optional_input_may_be_missing():
    graph = Graph(
        Node(C, joined, (A,), (B,)), Node(D, joined, optional=(B, C)), Node(E, joined, (B,))
    )
    assert graph.make([C, D, E], {A: "a"}, None) == {A: "a", C: "(a None)", D: "(None (a None))"}
    assert graph.make([C, D, E], {}, None) == {}


def test_a_node_may_depend_on_the_request():
    graph = Graph(
        Node(B, joined, (A,), when=bool), Node(C, joined, (B,)), Node(D, joined, (A,), (C,))
    )
    assert graph.make([D], {A: "a"}, True)[D] == "(a ((a)))"
    assert graph.make([D], {A: "a"}, False) == {A: "a", D: "(a None)"}


def test_every_frame_is_an_input_or_made_by_one_node_that_stands_after_its_inputs():
    known = set(RAW.values())
    for node in GRAPH.nodes:
        assert node.output not in known
        assert known.issuperset((*node.inputs, *node.optional)), node.output
        known.add(node.output)
    assert known == set(Frame)
    assert {CHECKED[source] for source in RAW} <= set(MATERIALIZATIONS)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_reads_what_its_frames_are_made_of_and_each_frame_is_left_by_one(name):
    stage = STAGES[name]
    given = {RAW[source] for source in stage.inputs}
    for earlier in stage.after:
        given.update(STAGES[earlier].frames)
    possible = set(given)
    for node in GRAPH.nodes:
        if possible.issuperset(node.inputs):
            possible.add(node.output)
    assert possible.issuperset(stage.frames)


def test_the_stages_together_leave_all_tables_and_are_the_tasks_of_the_dag():
    left = {frame for stage in STAGES.values() for frame in stage.frames}
    tables = {Frame.CUSTOMERS, Frame.CELLS, Frame.REJECTED, Frame.SUMMARY, Frame.ALARMS}
    assert tables | {Frame.ANOMALIES} <= left
    names = {"call_statistics": "calls"}
    assert {
        name: ({names.get(one, one) for one in stage.inputs if one != HISTORY}, set(stage.after))
        for name, stage in STAGES.items()
    } == {name: (set(stage.inputs), set(stage.after)) for name, stage in SHAPES["staged"].items()}
