import { shareFile } from './api.js';
import { formatFullDate } from './format.js';

const dialog = document.querySelector('#share');
const form = document.querySelector('#share-form');
const name = document.querySelector('#share-name');
const duration = document.querySelector('#share-duration');
const result = document.querySelector('#share-result');
const link = document.querySelector('#share-link');
const state = document.querySelector('#share-state');

/** Makes links to one file that expire. */
export class ShareDialog {
  #file;

  constructor() {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#share();
    });
    document.querySelector('#share-copy').addEventListener('click', () => void this.#copy());
    document.querySelector('#share-close').addEventListener('click', () => dialog.close());
  }

  open(file) {
    this.#file = file;
    name.textContent = file.name;
    state.textContent = '';
    result.hidden = true;
    dialog.showModal();
  }

  async #share() {
    try {
      const { url, expiresAt } = await shareFile(this.#file, Number(duration.value));
      link.value = url;
      result.hidden = false;
      link.select();
      state.textContent = `Whoever has this link can open the file until ${formatFullDate(new Date(expiresAt))}.`;
    } catch (error) {
      result.hidden = true;
      state.textContent = `There is no link. ${error.message}`;
    }
  }

  async #copy() {
    link.select();
    try {
      await navigator.clipboard.writeText(link.value);
      state.textContent = 'The link is copied.';
    } catch {
      // Only https and localhost may write to the clipboard.
      state.textContent = 'The link is selected: copy it by the keyboard or by the menu.';
    }
  }
}
