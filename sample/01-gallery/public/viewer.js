import { fileUrl } from './api.js';

const dialog = document.querySelector('#viewer');
const stage = document.querySelector('#viewer-stage');
const name = document.querySelector('#viewer-name');
const download = document.querySelector('#viewer-download');
const previous = document.querySelector('#viewer-previous');
const next = document.querySelector('#viewer-next');

/** Shows images, plays video and audio; arrow keys go through all that can be shown. */
export class Viewer {
  #shown = [];
  #position = 0;

  constructor() {
    document.querySelector('#viewer-close').addEventListener('click', () => dialog.close());
    previous.addEventListener('click', () => this.#step(-1));
    next.addEventListener('click', () => this.#step(1));
    dialog.addEventListener('keydown', (event) => {
      // the arrows of a player that has the focus are its own
      if (event.target instanceof HTMLMediaElement) return;
      if (event.key === 'ArrowLeft') this.#step(-1);
      if (event.key === 'ArrowRight') this.#step(1);
    });
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog || event.target === stage) dialog.close();
    });
    // Stops the player, and the download behind it.
    dialog.addEventListener('close', () => this.#clear());
  }

  open(file, files) {
    this.#shown = files.filter(({ preview }) => preview !== null);
    this.#position = this.#shown.findIndex(({ key }) => key === file.key);
    this.#show();
    dialog.showModal();
  }

  #step(by) {
    const position = this.#position + by;
    if (position < 0 || position >= this.#shown.length) return;
    this.#position = position;
    this.#show();
  }

  #show() {
    const file = this.#shown[this.#position];
    this.#clear();
    const element = document.createElement(file.preview === 'image' ? 'img' : file.preview);
    if (file.preview === 'image') element.alt = file.name;
    else element.controls = true;
    element.addEventListener('error', () => this.#refuse(file), { once: true });
    element.src = fileUrl(file);
    stage.append(element);
    name.textContent = file.name;
    download.href = fileUrl(file);
    download.download = file.name;
    previous.disabled = this.#position === 0;
    next.disabled = this.#position === this.#shown.length - 1;
  }

  #refuse(file) {
    const text = document.createElement('p');
    text.className = 'viewer-refusal';
    text.textContent = `This browser cannot show ${file.name}. It can be downloaded.`;
    stage.replaceChildren(text);
  }

  #clear() {
    const player = stage.querySelector('video, audio');
    if (player !== null) {
      player.pause();
      player.removeAttribute('src');
      player.load();
    }
    stage.replaceChildren();
  }
}
