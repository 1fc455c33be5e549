import { ask, send } from './transfer.js';

/** Pixels of the longer edge: a card's width on a screen of two pixels for each. */
const EDGE = 480;

/**
 * Makes a thumbnail of a picture that has been stored under `key`, and stores it beside it. Where that is not possible nothing is lost: the
 * gallery then shows the picture itself.
 */
export async function storeThumbnail(key, picture, signal) {
  try {
    const thumbnail = await thumbnailOf(picture);
    if (thumbnail !== null) await send(await ask('api/thumbnails', { key }, signal), thumbnail, { signal });
  } catch (error) {
    console.info('There is no thumbnail.', error);
  }
}

async function thumbnailOf(picture) {
  const bitmap = await createImageBitmap(picture);
  const scale = Math.min(1, EDGE / Math.max(bitmap.width, bitmap.height));
  const canvas = new OffscreenCanvas(Math.ceil(bitmap.width * scale), Math.ceil(bitmap.height * scale));
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const thumbnail = await canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
  // A browser that cannot write WebP gives a PNG instead.
  return thumbnail.type === 'image/webp' ? thumbnail : null;
}
