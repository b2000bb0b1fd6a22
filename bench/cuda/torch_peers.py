# What PyTorch takes for the same work on the same GPU; a JSON line a figure, as cuda_bench.cu prints them.
#   matmul.dynamic: amin, amax, quantize, torch._int_mm (cuBLASLt's int8), dequantize, eager and compiled
#   matmul.s32:     torch._int_mm alone
#   conv.dynamic:   bf16 convolution in channels_last (cuDNN), bf16 in and out, with ReLU
# Without PyTorch or a GPU it says so in a line and ends well.
import json
import sys

SIZE = 4096
BATCH = 256
ROUNDS = 15
# size, channels, out, kernel, stride: resnet18 at 224 x 224, as cuda_bench.cu
CONVOLUTIONS = [
    (56, 64, 64, 3, 1),
    (56, 64, 128, 3, 2),
    (28, 128, 128, 3, 1),
    (28, 128, 256, 3, 2),
    (14, 256, 256, 3, 1),
    (14, 256, 512, 3, 2),
    (7, 512, 512, 3, 1),
    (56, 64, 128, 1, 2),
]


def line(**fields):
    print(json.dumps(fields), flush=True)


try:
    import torch

    if not torch.cuda.is_available():
        raise RuntimeError("torch sees no GPU")
except Exception as error:  # whatever is missing
    line(op="torch", who="PyTorch", absent=str(error))
    sys.exit(0)


def microseconds(call):
    for _ in range(5):
        call()
    torch.cuda.synchronize()
    times = []
    for _ in range(ROUNDS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(10):
            call()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) * 100)
    return sorted(times)[ROUNDS // 2]


def race(op, shape, who, call):
    try:
        line(op=op, shape=shape, who=who, us=microseconds(call), rounds=ROUNDS)
    except Exception as error:  # a version without the operation
        line(op=op, shape=shape, who=who, absent=str(error).splitlines()[0])


line(torch=torch.__version__, cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version())
with torch.inference_mode():
    x = torch.rand(SIZE, SIZE, device="cuda") * 2 - 0.8
    w = torch.randint(-127, 128, (SIZE, SIZE), dtype=torch.int8, device="cuda")
    scales = torch.full((SIZE,), 0.01, device="cuda")
    sums = w.sum(1, dtype=torch.int32)
    shape = f"{SIZE} {SIZE} {SIZE}"

    def dynamic(x, w, scales, sums):
        low = x.amin(1, keepdim=True).clamp(max=0)
        high = x.amax(1, keepdim=True).clamp(min=0)
        scale = (high - low) / 255
        zero = torch.round(-low / scale)
        # _int_mm multiplies int8 by int8: codes are moved by 128, and the sums with them.
        codes = (torch.round(x / scale) + zero - 128).clamp(-128, 127).to(torch.int8)
        acc = torch._int_mm(codes, w.t())
        return (acc - (zero.to(torch.int32) - 128) * sums) * (scale * scales)

    codes = torch.randint(0, 128, (SIZE, SIZE), dtype=torch.int8, device="cuda")
    race("matmul.s32", shape, "torch._int_mm", lambda: torch._int_mm(codes, w.t()))
    race("matmul.dynamic", shape, "PyTorch", lambda: dynamic(x, w, scales, sums))
    compiled = torch.compile(dynamic)
    race("matmul.dynamic", shape, "PyTorch, compiled", lambda: compiled(x, w, scales, sums))
    torch.backends.cudnn.benchmark = True
    for size, channels, out, kernel, stride in CONVOLUTIONS:
        layer = torch.nn.Conv2d(channels, out, kernel, stride, kernel // 2, bias=False, device="cuda", dtype=torch.bfloat16)
        layer = layer.to(memory_format=torch.channels_last)
        image = torch.rand(BATCH, channels, size, size, device="cuda", dtype=torch.bfloat16)
        image = image.to(memory_format=torch.channels_last)
        dims = f"{BATCH} {size} {size} {channels} {out} {kernel} {stride}"
        race("conv.dynamic", dims, "PyTorch bf16", lambda: torch.relu(layer(image)))
