"""Batches of real photographs, through torchvision's own preprocessing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from perfsuite.models.ask import Ask, Role, Sources

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Photographs that scikit-image ships, divided by file so that no picture is on both sides.
MEASURED = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "camera.png")
CALIBRATION = ("color.png", "hubble_deep_field.jpg", "ihc.png", "retina.jpg", "coins.png", "gravel.png")


def _views(picture: Image.Image) -> Iterator[Image.Image]:
    """The whole picture and its overlapping corners, each also mirrored."""
    width, height = picture.size
    boxes = [(0, 0, width, height)]
    for fraction in (0.7, 0.5):
        w, h = int(width * fraction), int(height * fraction)
        boxes += [(x, y, x + w, y + h) for x in (0, width - w) for y in (0, height - h)]
    for box in boxes:
        view = picture.crop(box)
        yield view
        yield view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def image_batches(ask: Ask, sources: Sources) -> NDArray[np.float32]:
    """Shape (count, batch, 3, pixels, pixels), normalised as ImageNet classifiers expect.

    Consecutive items come from different photographs; views repeat once all are used.
    """
    from torchvision.transforms._presets import ImageClassification

    names = MEASURED if ask.role is Role.MEASURED else CALIBRATION
    batch, pixels, count = ask.shape.batch, ask.shape.pixels, ask.count
    assert pixels is not None
    transform = ImageClassification(crop_size=pixels, resize_size=round(pixels * 232 / 224))
    pictures = [Image.open(sources.photographs / name).convert("RGB") for name in names]
    by_view = zip(*(list(_views(picture)) for picture in pictures), strict=True)
    views = itertools.cycle(list(itertools.chain.from_iterable(by_view)))
    wanted = itertools.islice(views, count * batch)
    pixels_array = np.stack([transform(view).numpy() for view in wanted])
    return pixels_array.reshape(count, batch, 3, pixels, pixels)
