"""The forward passes of other systems, computed layer by layer from their tensors' names alone, on random weights."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F


@pytest.fixture(scope="session")
def reference():
    """The functions below."""
    return SimpleNamespace(**globals())


def random_weights(shapes, seed=0):
    """Tensors of He's deviation, with scales and statistics of batch normalisation that keep signals in bounds."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
        elif name.endswith("running_var"):
            state[name] = 0.5 + torch.rand(shape, generator=generator)
        elif len(shape) > 1:
            fan_in = torch.tensor(shape[1:]).prod().item()
            state[name] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        else:
            centre = 0.5 if name.endswith("weight") else 0.0
            state[name] = centre + 0.1 * torch.randn(shape, generator=generator)
    return state


def resnet_shapes(layers, images=1):
    """Shapes of torchvision's ResNets by name, their classifier included, that see so many images at once."""
    blocks = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}[layers]
    expansion = 4 if layers >= 50 else 1
    shapes = {"conv1.weight": (64, 3 * images, 7, 7)} | _norm("bn1", 64)
    inputs = 64
    for stage, count in enumerate(blocks, start=1):
        width = 64 * 2 ** (stage - 1)
        for block in range(count):
            stem = f"layer{stage}.{block}"
            convs = [(width, inputs, 3), (width, width, 3)]
            if expansion > 1:
                convs = [(width, inputs, 1), (width, width, 3), (width * expansion, width, 1)]
            for i, (outputs, seen, kernel) in enumerate(convs, start=1):
                shapes[f"{stem}.conv{i}.weight"] = (outputs, seen, kernel, kernel)
                shapes |= _norm(f"{stem}.bn{i}", outputs)
            if block == 0 and (stage > 1 or expansion > 1):
                shapes[f"{stem}.downsample.0.weight"] = (width * expansion, inputs, 1, 1)
                shapes |= _norm(f"{stem}.downsample.1", width * expansion)
            inputs = width * expansion
    return shapes | {"fc.weight": (1000, inputs), "fc.bias": (1000,)}


def _norm(name, width):
    kinds = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{kind}": (width,) for kind in kinds} | {f"{name}.num_batches_tracked": ()}


def decoder_shapes(channels, scales, conv, head):
    """Shapes of the decoder of Monodepth2: ``conv(level, part)`` and ``head(scale)`` name its convolutions."""
    widths, shapes = (16, 32, 64, 128, 256), {}
    for level in range(4, -1, -1):
        inputs = channels[-1] if level == 4 else widths[level + 1]
        seen = (inputs, widths[level] + (channels[level - 1] if level else 0))
        for part in range(2):
            name = conv(4 - level, part)
            shapes |= {f"{name}.weight": (widths[level], seen[part], 3, 3), f"{name}.bias": (widths[level],)}
    for scale in range(scales):
        shapes |= {f"{head(scale)}.weight": (1, widths[scale], 3, 3), f"{head(scale)}.bias": (1,)}
    return shapes


def resnet_features(state, images):
    """Features at strides 2 to 32, in evaluation mode, of normalised images."""

    def norm(x, name):
        scale = state[f"{name}.weight"] / (state[f"{name}.running_var"] + 1e-5).sqrt()
        shift = state[f"{name}.bias"] - state[f"{name}.running_mean"] * scale
        return x * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)

    x = norm(F.conv2d(images, state["conv1.weight"], stride=2, padding=3), "bn1").relu()
    features = [x]
    x = F.max_pool2d(x, 3, 2, 1)
    for stage in range(1, 5):
        block = 0
        while f"layer{stage}.{block}.conv1.weight" in state:
            stem, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            count = 3 if f"{stem}.conv3.weight" in state else 2
            y = x
            for i in range(1, count + 1):
                weight = state[f"{stem}.conv{i}.weight"]
                # the first 3x3 convolution of a block has its stride
                step = stride if i == (1 if count == 2 else 2) else 1
                y = norm(F.conv2d(y, weight, stride=step, padding=weight.shape[-1] // 2), f"{stem}.bn{i}")
                y = y.relu() if i < count else y
            if f"{stem}.downsample.0.weight" in state:
                x = norm(F.conv2d(x, state[f"{stem}.downsample.0.weight"], stride=stride), f"{stem}.downsample.1")
            x, block = (x + y).relu(), block + 1
        features.append(x)
    return features


def decoder_disparities(state, features, conv, head, upsampling):
    """Sigmoid disparity at all scales there are, finest first."""

    def padded(x, name):
        return F.conv2d(F.pad(x, [1, 1, 1, 1], mode="reflect"), state[f"{name}.weight"], state[f"{name}.bias"])

    x, found = features[-1], {}
    for level in range(4, -1, -1):
        x = F.elu(padded(x, conv(4 - level, 0)))
        options = {} if upsampling == "nearest" else {"align_corners": False}
        x = F.interpolate(x, scale_factor=2, mode=upsampling, **options)
        if level:
            x = torch.cat([x, features[level - 1]], 1)
        x = F.elu(padded(x, conv(4 - level, 1)))
        if f"{head(level)}.weight" in state:
            found[level] = torch.sigmoid(padded(x, head(level)))
    return [found[level] for level in sorted(found)]


def flow_shapes():
    """Shapes of TrianFlow's flow network by name."""
    shapes, widths = {}, (3, 16, 16, 32, 32, 64, 64, 96, 96, 128, 128, 196, 196)

    def conv(name, inputs, outputs):
        return {f"{name}.weight": (outputs, inputs, 3, 3), f"{name}.bias": (outputs,)}

    for i in range(12):
        shapes |= conv(f"fpyramid.conv{i + 1}.0", widths[i], widths[i + 1])
    for level, features in ((6, None), (5, 128), (4, 96), (3, 64), (2, 32)):
        inputs = 81 + (features + 2 if features else 0)
        sizes = ((inputs, 128), (128, 128), (256, 96), (224, 64), (160, 32))
        for i, (seen, outputs) in enumerate(sizes):
            shapes |= conv(f"pwc_model.conv{level}_{i}.0", seen, outputs)
        shapes |= conv(f"pwc_model.predict_flow{level}", 96, 2)
    chain = (34, 128, 128, 128, 96, 64, 32)
    for i in range(6):
        shapes |= conv(f"pwc_model.dc_conv{i + 1}.0", chain[i], chain[i + 1])
    return shapes | conv("pwc_model.dc_conv7", 32, 2)


def flows(state, a, b):
    """TrianFlow's flow from a to b, BGR images in 0..1, at full, 1/2, 1/4 and 1/8 size."""

    def conv(x, name, stride=1, dilation=1):
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride, dilation, dilation)

    def active(x, name, **options):
        return F.leaky_relu(conv(x, f"{name}.0", **options), 0.1)

    def pyramid(x):
        levels = []
        for i in range(1, 13, 2):
            x = active(active(x, f"fpyramid.conv{i}", stride=2), f"fpyramid.conv{i + 1}")
            levels.append(x)
        return levels

    def moved(x, flow):
        height, width = x.shape[-2:]
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        at_x = 2 * (columns + flow[:, 0]) / (width - 1) - 1
        at_y = 2 * (rows + flow[:, 1]) / (height - 1) - 1
        return F.grid_sample(x, torch.stack([at_x, at_y], -1), padding_mode="zeros", align_corners=True)

    def correlated(x, y):
        padded = F.pad(y, [4, 4, 4, 4])
        height, width = x.shape[-2:]
        return torch.stack(
            [(x * padded[..., i : i + height, j : j + width]).mean(1) for i in range(9) for j in range(9)], 1
        )

    def double(flow):
        return 2 * F.interpolate(flow, scale_factor=2.0, mode="bilinear", align_corners=False)

    first, second, flow, found = pyramid(a), pyramid(b), None, {}
    for level in range(6, 1, -1):
        x, y = first[level - 1], second[level - 1]
        up = None if flow is None else double(flow)
        cost = correlated(x, y if up is None else moved(y, up))
        outputs = [active(cost if up is None else torch.cat([cost, x, up], 1), f"pwc_model.conv{level}_0")]
        outputs.append(active(outputs[0], f"pwc_model.conv{level}_1"))
        for i in range(2, 5):
            outputs.append(active(torch.cat(outputs[-2:], 1), f"pwc_model.conv{level}_{i}"))
        flow = conv(torch.cat(outputs[-2:], 1), f"pwc_model.predict_flow{level}")
        flow = flow if up is None else flow + up
        if level == 2:
            x = torch.cat([flow, outputs[-1]], 1)
            for i, dilation in enumerate((1, 2, 4, 8, 16, 1)):
                x = active(x, f"pwc_model.dc_conv{i + 1}", dilation=dilation)
            flow = flow + conv(x, "pwc_model.dc_conv7")
        found[level] = flow
    height, width = a.shape[-2:]
    return [
        F.interpolate(4 * found[k + 2], (height >> k, width >> k), mode="bilinear", align_corners=False)
        for k in range(4)
    ]


def dispnet_shapes():
    """Shapes of DispNetS by name."""
    shapes, encoder, decoder = {}, (32, 64, 128, 256, 512, 512, 512), (16, 32, 64, 128, 256, 512, 512)
    for i, width in enumerate(encoder):
        kernel, inputs = {0: 7, 1: 5}.get(i, 3), encoder[i - 1] if i else 3
        shapes[f"conv{i + 1}.0.weight"] = (width, inputs, kernel, kernel)
        shapes[f"conv{i + 1}.2.weight"] = (width, width, kernel, kernel)
        shapes |= {f"conv{i + 1}.{part}.bias": (width,) for part in (0, 2)}
    for i, width in enumerate(decoder):
        below = decoder[i + 1] if i < 6 else encoder[6]
        shapes |= {f"upconv{i + 1}.0.weight": (below, width, 3, 3), f"upconv{i + 1}.0.bias": (width,)}
        inputs = width + (encoder[i - 1] if i else 0) + (1 if i < 3 else 0)
        shapes |= {f"iconv{i + 1}.0.weight": (width, inputs, 3, 3), f"iconv{i + 1}.0.bias": (width,)}
        if i < 4:
            shapes |= {f"predict_disp{i + 1}.0.weight": (1, width, 3, 3), f"predict_disp{i + 1}.0.bias": (1,)}
    return shapes


def dispnet_disparities(state, images):
    """DispNetS's disparity 10 sigma + 0.01 at 4 scales of images normalised by 0.5 and 0.5."""

    def conv(x, name, stride=1):
        weight = state[f"{name}.weight"]
        return F.conv2d(x, weight, state[f"{name}.bias"], stride, weight.shape[-1] // 2)

    levels = [images]
    for i in range(1, 8):
        levels.append(conv(conv(levels[-1], f"conv{i}.0", 2).relu(), f"conv{i}.2").relu())
    x, above, found = levels[7], None, []
    for i in range(7, 0, -1):
        height, width = levels[i - 1].shape[-2:]
        up = F.conv_transpose2d(
            x, state[f"upconv{i}.0.weight"], state[f"upconv{i}.0.bias"], 2, padding=1, output_padding=1
        )
        parts = [up.relu()] + ([levels[i - 1]] if i > 1 else [])
        if above is not None:
            parts.append(F.interpolate(above, scale_factor=2, mode="bilinear", align_corners=False))
        x = conv(torch.cat([part[..., :height, :width] for part in parts], 1), f"iconv{i}.0").relu()
        if i <= 4:
            above = 10 * torch.sigmoid(conv(x, f"predict_disp{i}.0")) + 0.01
            found.insert(0, above)
    return found
