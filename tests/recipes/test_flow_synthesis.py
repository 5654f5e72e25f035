"""Recipes of GeoNet and PoseNet-Flow: the numbers of the released code, and the flow of this library's own method."""

from dataclasses import replace

from vode.recipes import recipe


def test_geonet_is_that_of_its_released_code():
    config = recipe("geonet")
    assert (config.size, config.batch, config.snippet.length) == ((128, 416), 4, 3)
    stages = [(name, stage.steps, stage.learning_rate) for name, stage in config.plan()]
    assert stages == [("depth", 350_000, 2e-4), ("residual", 400_000, 2e-4)]
    assert (config.pose.network, config.pose.rotation) == ("posecnn", "euler")
    lowest, increase = config.depth.disparity
    assert increase / lowest == 5 / 0.01
    weights, last = config.depth_stage.weights, config.residual_stage
    # photometric errors count for both directions, all other losses are means
    assert weights.smoothness / weights.photometric == 0.5 / 2
    assert last.weights.flow_smoothness / last.weights.flow_warp == 0.2 / 2
    assert last.weights.flow_consistency / last.weights.flow_warp == 0.2 / 2
    assert (last.consistency.pixels, last.consistency.fraction) == (3.0, 0.05)


def test_posenet_flow_has_the_flow_and_the_depth_of_the_geometry_it_is_compared_with():
    stages = {"posenet-flow": ["flow", "depth"], "posenet-flow-small": ["flow", "motion", "depth"]}
    for name, rival in (("posenet-flow", "kitti-odom"), ("posenet-flow-small", "world")):
        config, geometry = recipe(name), recipe(rival)
        assert [stage for stage, _ in config.plan()] == stages[name]
        if name.endswith("-small"):
            # motion alone is learned by errors at the sizes of several outputs
            config = replace(config, depth=replace(config.depth, scales=1))
        assert config.pose.input == "flow"
        for field in ("dataset", "sequences", "size", "batch", "flow", "depth", "flow_stage", "augment"):
            assert getattr(config, field) == getattr(geometry, field), field
