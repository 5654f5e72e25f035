"""The size that keeps an aspect and an area."""

import pytest

from vode.geometry.resize import size_of_same_area


@pytest.mark.parametrize("image", [(480, 640), (720, 1280), (1280, 720), (375, 1242), (94, 1408), (1, 9)])
@pytest.mark.parametrize("size", [(128, 416), (64, 96), (480, 640)])
def test_the_aspect_is_the_image_s_and_the_area_the_size_s(image, size):
    height, width = size_of_same_area(size, image)
    assert width / height == pytest.approx(image[1] / image[0], rel=0.03)
    assert height * width == pytest.approx(size[0] * size[1], rel=0.04)
    assert size_of_same_area((height, width), image) == (height, width)


def test_a_size_that_nearly_has_the_aspect_stays():
    assert size_of_same_area((100, 300), (101, 300)) == (100, 300)
    assert size_of_same_area((100, 300), (1010, 3090)) == (100, 300)
    assert size_of_same_area((100, 300), (103, 300)) == (101, 294)


@pytest.mark.parametrize("image", [(1, 4000), (4000, 1)])
def test_no_side_vanishes(image):
    assert min(size_of_same_area((4, 4), image)) == 1
