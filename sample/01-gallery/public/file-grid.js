import { fileUrl, thumbnailUrl } from './api.js';
import { extensionOf, formatCount, formatDate, formatFullDate, formatSize, kindOf } from './format.js';

const grid = document.querySelector('#files');
const empty = document.querySelector('#empty');
const total = document.querySelector('#total');
const template = document.querySelector('#file-card');

const SVG = 'http://www.w3.org/2000/svg';

/** The stored files, newest first, each a card. */
export class FileGrid {
  #cards = new Map();
  #onOpen;
  #onShare;
  #onDelete;
  #more = false;

  /** `onOpen(file)` shows one in place, `onShare(file)` makes a link, `onDelete(file)` is asked before anything is deleted. */
  constructor({ onOpen, onShare, onDelete }) {
    this.#onOpen = onOpen;
    this.#onShare = onShare;
    this.#onDelete = onDelete;
  }

  /** In the order in which they are shown. */
  get files() {
    return [...grid.children].map((card) => this.#fileOf(card));
  }

  filesOf(keys) {
    return keys.map((key) => this.#cards.get(key).file);
  }

  /** Shows the next page of the listing below what is there. */
  append(files, more) {
    this.#more = more;
    for (const file of files) {
      if (!this.#cards.has(file.key)) grid.append(this.#card(file));
    }
    this.#summarize();
  }

  add(file) {
    // a page that was asked for meanwhile may have it already
    if (this.#cards.has(file.key)) return;
    const card = this.#card(file);
    card.classList.add('new');
    grid.prepend(card);
    this.#summarize();
  }

  /** Puts the focus on the neighbour, so that someone at a keyboard goes on from where they were. */
  remove(file) {
    const card = this.#cards.get(file.key)?.card;
    if (card === undefined) return;
    const neighbour = card.nextElementSibling ?? card.previousElementSibling;
    this.#cards.delete(file.key);
    card.remove();
    this.#summarize();
    (neighbour?.querySelector('.delete') ?? document.querySelector('#choose')).focus();
  }

  #fileOf(card) {
    return this.#cards.get(card.dataset.key).file;
  }

  #card(file) {
    const card = template.content.firstElementChild.cloneNode(true);
    card.dataset.key = file.key;
    // Names are strangers' text: they become text and attributes, never HTML.
    const name = card.querySelector('.name');
    name.textContent = file.name;
    name.title = file.name;
    card.querySelector('.size').textContent = formatSize(file.size);
    const date = new Date(file.lastModified);
    const time = card.querySelector('time');
    time.dateTime = file.lastModified;
    time.textContent = formatDate(date);
    time.title = formatFullDate(date);

    card.querySelector('.thumb').replaceWith(this.#thumb(file));
    const download = card.querySelector('.download');
    download.href = fileUrl(file);
    download.download = file.name;
    download.setAttribute('aria-label', `Download ${file.name}`);
    const select = card.querySelector('.select input');
    select.value = file.key;
    select.setAttribute('aria-label', `Select ${file.name}`);
    const share = card.querySelector('.share');
    share.setAttribute('aria-label', `Share ${file.name}`);
    share.addEventListener('click', () => this.#onShare(file));
    const remove = card.querySelector('.delete');
    remove.setAttribute('aria-label', `Delete ${file.name}`);
    remove.addEventListener('click', () => this.#onDelete(file));
    this.#cards.set(file.key, { file, card });
    return card;
  }

  #thumb(file) {
    const thumb = document.createElement(file.preview === null ? 'div' : 'button');
    thumb.className = `thumb kind-${kindOf(file.contentType)}`;
    if (file.preview !== null) {
      thumb.type = 'button';
      thumb.setAttribute('aria-label', `${file.preview === 'image' ? 'Show' : 'Play'} ${file.name}`);
      thumb.addEventListener('click', () => this.#onOpen(file));
    }
    if (file.preview === 'image') thumb.append(picture(file, thumb));
    else thumb.append(...sign(file));
    return thumb;
  }

  #summarize() {
    const files = [...this.#cards.values()].map(({ file }) => file);
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    empty.hidden = files.length > 0;
    const count = `${formatCount(files.length, 'file', 'files')}${this.#more ? ' of more' : ''}`;
    total.textContent = files.length === 0 ? '' : `${count} · ${formatSize(bytes)}`;
  }
}

/** The thumbnail, which the browser fetches when the card comes near the screen. */
function picture(file, thumb) {
  const image = document.createElement('img');
  image.loading = 'lazy';
  image.decoding = 'async';
  image.alt = '';
  image.src = thumbnailUrl(file);
  // Broken, or not the image that its name promised.
  image.addEventListener('error', () => thumb.replaceChildren(...sign(file)), { once: true });
  return image;
}

/** A picture of the kind, and the extension, for what has no thumbnail. */
function sign(file) {
  const icon = document.createElementNS(SVG, 'svg');
  icon.setAttribute('class', 'icon kind-icon');
  icon.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#kind-${kindOf(file.contentType)}`);
  icon.append(use);
  const badge = document.createElement('span');
  badge.className = 'badge';
  badge.textContent = extensionOf(file.name);
  return badge.textContent === '' ? [icon] : [icon, badge];
}
