"""Generates arrays and pictures, and what numpy and Pillow read in them: one process, answers in bulk.

usage: reference_data.py FOLDER SEED ARRAYS PICTURES. Writes FOLDER/cases.jsonl, a line a file, and FOLDER/answers.bin.
A case: file, kind, and either "error" or "at" and "length" of the answer, with its "shape".
"""
import io
import json
import struct
import sys
import zipfile
import zlib

import numpy as np
from PIL import Image

folder, seed, arrays, pictures = sys.argv[1], *map(int, sys.argv[2:5])
random = np.random.RandomState(seed)
answers = open(f'{folder}/answers.bin', 'wb')
cases = open(f'{folder}/cases.jsonl', 'w')


def choose(*values):
    return values[random.randint(len(values))]


def case(file, kind, **fields):
    cases.write(json.dumps({'file': file, 'kind': kind, **fields}) + '\n')


def answer(data):
    at = answers.tell()
    answers.write(data)
    return {'at': at, 'length': len(data)}


# Arrays: any type, order of bytes, order of elements, version; .npy, .npz stored or deflated.

TYPES = ['?', 'i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8', 'f2', 'f4', 'f8']
STRANGE = ['c8', 'c16', 'S3', 'U2', 'M8[s]', 'm8[ms]', 'V5', [('a', 'f4'), ('b', 'i4')], 'O', 'f16']


def values(dtype, shape):
    kind = np.dtype(dtype).kind
    if kind == 'b':
        return random.randint(0, 2, shape).astype(bool)
    if kind in 'iu':
        info = np.iinfo(dtype)
        raw = random.randint(0, 256, (*shape, info.dtype.itemsize)).astype(np.uint8)
        return raw.view(dtype).reshape(shape)
    return (random.standard_normal(shape) * 10.0 ** random.randint(-3, 4)).astype(dtype)


def array_case(i):
    strange = random.rand() < 0.1
    rank = random.randint(0, 5)
    shape = tuple(int(random.randint(0 if random.rand() < 0.05 else 1, 7)) for _ in range(rank))
    if strange:
        dtype = choose(*STRANGE)
        array = np.zeros(shape, dtype)
    else:
        dtype = choose('<', '>') + choose(*TYPES)
        array = np.asarray(values(dtype, shape), dtype)
        if random.rand() < 0.4:
            array = np.asfortranarray(array)
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=choose((1, 0), (2, 0), (3, 0)), allow_pickle=True)
    data = buffer.getvalue()
    kind = choose('npy', 'npy', 'npz')
    file = f'{folder}/a{i}.{kind}'
    if kind == 'npz':
        with zipfile.ZipFile(file, 'w', choose(zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)) as archive:
            archive.writestr('unused.npy', b'no array')
            with archive.open('x.npy', 'w', force_zip64=bool(random.randint(2))) as member:
                member.write(data)
    else:
        open(file, 'wb').write(data)
    try:
        read = np.load(file)
        read = read['x'] if kind == 'npz' else read
        numbers = read.dtype.names is None and read.dtype.kind in 'biuf' and read.dtype.itemsize <= 8
        if not numbers:
            raise ValueError(f'no numbers: {read.dtype}')
        case(file, kind, shape=read.shape, **answer(np.ascontiguousarray(read).astype('<f4').tobytes()))
    except Exception as error:
        case(file, kind, error=str(error))


# Pictures.

def chunk(name, content):
    return struct.pack('>I', len(content)) + name + content + struct.pack('>I', zlib.crc32(name + content))


def png(width, height):
    colour, depth = choose((0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8), (4, 8),
                           (4, 16), (6, 8), (6, 16))
    bits = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] * depth
    interlaced = random.rand() < 0.3
    passes = [(0, 0, 1, 1)] if not interlaced else [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                                                    (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b''
    for left, top, across, down in passes:
        columns, lines = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and lines > 0:
            for _ in range(lines):
                rows += bytes([random.randint(5)]) + random.bytes((columns * bits + 7) // 8)
    content = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, int(interlaced)))
    if random.rand() < 0.3:
        content += chunk(b'gAMA', struct.pack('>I', choose(45455, 100000)))
    colours = 2 ** min(depth, 8)
    if colour == 3:
        content += chunk(b'PLTE', random.bytes(3 * (colours if random.rand() < 0.8 else random.randint(1, colours + 1))))
    if random.rand() < 0.4 and colour in (0, 2, 3):
        content += chunk(b'tRNS', random.bytes(random.randint(1, colours + 1)) if colour == 3 else
                         b''.join(struct.pack('>H', random.randint(2 ** depth)) for _ in range(1 if colour == 0 else 3)))
    data = zlib.compress(rows, random.randint(10))
    half = random.randint(len(data))
    return b'\x89PNG\r\n\x1a\n' + content + chunk(b'IDAT', data[:half]) + chunk(b'IDAT', data[half:]) + chunk(b'IEND', b'')


def smooth(width, height, channels):
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * random.randint(1, 9) + y * random.randint(1, 9) + random.randint(0, 30, (height, width)) for _ in
              range(channels)]
    return (np.stack(planes, -1) % 256).astype(np.uint8)


def saved(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def of_mode(width, height, mode):
    channels = {'L': 1, 'LA': 2, 'RGB': 3, 'RGBA': 4, 'CMYK': 4}
    if mode in channels:
        pixels = smooth(width, height, channels[mode])
        return Image.fromarray(pixels[:, :, 0] if mode == 'L' else pixels, mode)
    if mode in ('I;16', 'F'):
        wide = random.randint(0, 65536, (height, width))
        return Image.fromarray(wide.astype(np.uint16 if mode == 'I;16' else np.float32))
    return Image.fromarray(smooth(width, height, 3)).convert(mode)


def exif():
    tags = Image.Exif()
    tags[0x0112] = int(random.randint(1, 9))
    return tags.tobytes()


def pnm(width, height):
    most = choose(255, 255, 255, 1, 7, 100, 254, 1000)
    if random.rand() < 0.3:
        return f'P4\n# a comment\n{width} {height}\n'.encode() + random.bytes((width + 7) // 8 * height)
    grey = random.rand() < 0.5
    size = width * height * (1 if grey else 3)
    data = random.randint(0, most + 1, size).astype('>u2' if most > 255 else 'u1').tobytes()
    return f'P{5 if grey else 6} {width} {height}\n{most}\n'.encode() + data


def bmp(width, height):
    data = bytearray(saved(of_mode(width, height, choose('1', 'L', 'P', 'RGB', 'RGBA')), 'BMP'))
    if random.rand() < 0.3:  # top down
        data[22:26] = struct.pack('<i', -height)
    return bytes(data)


def picture(width, height):
    form = choose('png', 'png', 'png', 'png', 'jpg', 'jpg', 'bmp', 'bmp', 'tif', 'tif', 'webp', 'gif', 'ppm')
    if form == 'png':
        return form, png(width, height)
    if form == 'ppm':
        return form, pnm(width, height)
    if form == 'bmp':
        return form, bmp(width, height)
    if form == 'jpg':
        options = {'exif': exif()} if random.rand() < 0.3 else {}
        mode = choose('RGB', 'RGB', 'RGB', 'L', 'CMYK')
        return form, saved(of_mode(width, height, mode), 'JPEG', quality=int(random.randint(10, 100)),
                           subsampling=choose(0, 1, 2), progressive=bool(random.randint(2)), **options)
    if form == 'tif':
        mode = choose('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'CMYK', 'I;16', 'F')
        options = {'tiffinfo': {274: int(random.randint(1, 9))}} if random.rand() < 0.2 else {}
        return form, saved(of_mode(width, height, mode), 'TIFF',
                           compression=choose(None, 'tiff_lzw', 'tiff_deflate', 'packbits'), **options)
    if form == 'webp':
        return form, saved(of_mode(width, height, choose('RGB', 'RGBA')), 'WEBP', quality=int(random.randint(10, 100)),
                           lossless=bool(random.randint(2)))
    options = {'transparency': int(random.randint(256))} if random.rand() < 0.3 else {}
    return form, saved(of_mode(width, height, choose('L', 'P')), 'GIF', **options)


def covered(image, height, width):
    """torchvision's Resize and CenterCrop, for targets that are no squares too."""
    w, h = image.size
    if height / h >= width / w:
        new_h, new_w = height, int(height * w / h)
    else:
        new_h, new_w = int(width * h / w), width
    if (new_w, new_h) != (w, h):
        image = image.resize((new_w, new_h), Image.BILINEAR)
    top, left = int(round((new_h - height) / 2.0)), int(round((new_w - width) / 2.0))
    return image.crop((left, top, left + width, top + height))


def picture_case(i):
    width, height = (int(random.randint(1, 40)) for _ in range(2))
    form, data = picture(width, height)
    if random.rand() < 0.03:
        data = data[:random.randint(len(data))]
    target = [int(random.randint(1, 40)) for _ in range(2)] if random.rand() < 0.5 else [height, width]
    channels = choose(1, 3)
    file = f'{folder}/p{i}.{form}'
    open(file, 'wb').write(data)
    try:
        image = Image.open(file).convert('L' if channels == 1 else 'RGB')
        case(file, form, shape=[*target, channels], **answer(covered(image, *target).tobytes()))
    except Exception as error:
        case(file, form, shape=[*target, channels], error=str(error))


for number in range(arrays):
    array_case(number)
for number in range(pictures):
    picture_case(number)
