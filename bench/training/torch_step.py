# Times training steps of the same networks in PyTorch. One line of JSON a measurement; exits with 3 where torch is
# absent. Arguments: network, images a step, threads, steps, layout (nchw or nhwc).
import json, statistics, sys, time

try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError:
    sys.exit(3)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        projection = lambda: nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity() if same else projection()

    def forward(self, x):
        inner = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(inner)) + self.shortcut(x))


# channels and size of an image, stride of the stem, channels of the stages, blocks in each
PLANS = {
    "resnet8": (1, 28, 2, [16, 32, 64], 1),
    "resnet20": (3, 32, 1, [16, 32, 64], 3),
    "resnet18-cifar": (3, 32, 1, [64, 128, 256, 512], 2),
}


def network(channels, stride, stages, blocks):
    width = stages[0]
    layers = [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    for index, outputs in enumerate(stages):
        for block in range(blocks):
            layers.append(Block(width, outputs, 2 if index > 0 and block == 0 else 1))
            width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


name, batch, threads, steps, layout = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]
torch.set_num_threads(threads)
channels, size, stride, stages, blocks = PLANS[name]
net, x = network(channels, stride, stages, blocks), torch.randn(batch, channels, size, size)
y = torch.randint(0, 10, (batch,))
if layout == "nhwc":
    net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
optimizer = torch.optim.Adam(net.parameters(), 1e-3)
times = []
for _ in range(steps + 3):
    start = time.perf_counter()
    optimizer.zero_grad()
    F.cross_entropy(net(x), y).backward()
    optimizer.step()
    times.append(1000 * (time.perf_counter() - start))
print(json.dumps({"version": torch.__version__, "medianMs": statistics.median(times[3:]), "bestMs": min(times[3:])}))
