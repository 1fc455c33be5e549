import { crc32, deflateSync } from 'node:zlib';

/** A PNG of a sunset, so that the test needs no binary file beside it. */
export function pngPicture(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits each of red, green, blue
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(sunset(width, height))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function sunset(width: number, height: number): Buffer {
  const rows = Buffer.alloc(height * (width * 3 + 1));
  let at = 0;
  for (let y = 0; y < height; y++) {
    rows[at++] = 0; // no filter
    const down = y / height;
    for (let x = 0; x < width; x++) {
      const across = x / width;
      const hill = 0.68 + 0.07 * Math.sin(across * 9) + 0.03 * Math.sin(across * 23);
      const sun = Math.hypot((across - 0.68) * width, (down - 0.52) * height) < height * 0.14;
      const sky = [70 + 185 * down, 50 + 120 * down, 120 + 20 * down];
      rows.set(down > hill ? [40, 26, 62] : sun ? [255, 226, 150] : sky, at);
      at += 3;
    }
  }
  return rows;
}
