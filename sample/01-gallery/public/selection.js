import { formatCount, formatSize } from './format.js';
import { problemOf } from './transfer.js';

const form = document.querySelector('#selection');
const summary = document.querySelector('#selection-summary');
const frame = document.querySelector('#archive');

/**
 * What is ticked. The checkboxes of the cards belong to a form, which the browser posts by itself: so a zip of any size goes to the disk
 * as it comes. `filesOf(keys)` gives the files, `onRefused(text)` says why there is no zip.
 */
export class Selection {
  #filesOf;

  constructor({ filesOf, onRefused }) {
    this.#filesOf = filesOf;
    document.querySelector('#files').addEventListener('change', () => this.show());
    document.querySelector('#selection-clear').addEventListener('click', () => {
      for (const box of this.#boxes()) box.checked = false;
      this.show();
      document.querySelector('#files-title').focus();
    });
    // A download leaves the frame as it is. What it loads is a refusal.
    frame.addEventListener('load', () => {
      const refusal = frame.contentDocument;
      if (refusal?.location.href === 'about:blank') return;
      // Chromium's own page, which says that nobody answers, is not to be read.
      const problem = refusal === null ? 'The server does not answer.' : problemOf(0, refusal.body.textContent);
      onRefused(`There is no zip. ${problem}`);
    });
  }

  show() {
    const files = this.#filesOf(this.#boxes().map((box) => box.value));
    form.hidden = files.length === 0;
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    summary.textContent = `${formatCount(files.length, 'file', 'files')} selected · ${formatSize(bytes)}`;
  }

  #boxes() {
    return [...form.elements].filter((box) => box.type === 'checkbox' && box.checked);
  }
}
