/** What is shown from the first second on, and from the middle on: VP8 key frames, as a lossy WebP has one. */
export interface Scenes {
  readonly first: Buffer;
  readonly second: Buffer;
}

const SIZE = { width: 160, height: 90 };
/** For the page: both scenes in WebP, by its canvas. */
export const DRAW_SCENES = `Promise.all(['#c00', '#00c'].map(async (colour) => {
  const canvas = new OffscreenCanvas(${SIZE.width}, ${SIZE.height});
  const context = canvas.getContext('2d', { alpha: false });
  context.fillStyle = colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const picture = await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
  return [...new Uint8Array(await picture.arrayBuffer())];
}))`;

/** The frame in a WebP file (RFC 9649, section 2.5: the chunk `VP8 `). */
export function frameOf(webp: Uint8Array): Buffer {
  const bytes = Buffer.from(webp);
  const at = bytes.indexOf('VP8 ', 12, 'latin1');
  if (at < 0) throw new Error('There is no lossy frame in the picture.');
  return bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at + 4));
}

/**
 * A WebM of one frame a second (RFC 9559), each in a cluster with so many bytes of nothing behind it: long enough that no browser loads all
 * of it before it is asked to seek. An index of the clusters (Cues) stands at its head.
 */
export function webmVideo({ first, second }: Scenes, seconds: number, bytesEach: number): Buffer {
  const info = element(
    '1549a966',
    uint('2ad7b1', 1_000_000),
    float('4489', seconds * 1000),
    text('4d80', 'test'),
    text('5741', 'test'),
  );
  const picture = element('e0', uint('b0', SIZE.width), uint('ba', SIZE.height));
  const track = element('ae', uint('d7', 1), uint('73c5', 1), uint('83', 1), text('86', 'V_VP8'), picture);
  const tracks = element('1654ae6b', track);
  const clusters = Array.from({ length: seconds }, (_, time) => {
    const frame = time < seconds / 2 ? first : second;
    // track 1, at the cluster's own time, a key frame
    const block = element('a3', Buffer.from('81000080', 'hex'), frame);
    return element('1f43b675', uint('e7', time * 1000), block, element('ec', Buffer.alloc(bytesEach)));
  });
  const cuesAt = (head: number): Buffer => {
    let at = head;
    const points = clusters.map((cluster, index) => {
      const position = element('b7', uint('f7', 1), uint('f1', at));
      at += cluster.length;
      return element('bb', uint('b3', index * 1000), position);
    });
    return element('1c53bb6b', ...points);
  };
  // all numbers have eight bytes, so the index is as long whatever it says
  const head = info.length + tracks.length + cuesAt(0).length;
  const header = element('1a45dfa3', text('4282', 'webm'), uint('4287', 4), uint('4285', 2));
  return Buffer.concat([header, element('18538067', info, tracks, cuesAt(head), ...clusters)]);
}

/** RFC 8794: an identifier, a length in eight bytes, and what it holds. */
function element(id: string, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE((1n << 56n) | BigInt(content.length));
  return Buffer.concat([Buffer.from(id, 'hex'), length, content]);
}

function uint(id: string, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(id, bytes);
}

function float(id: string, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return element(id, bytes);
}

function text(id: string, value: string): Buffer {
  return element(id, Buffer.from(value, 'latin1'));
}
