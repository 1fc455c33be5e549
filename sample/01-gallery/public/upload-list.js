import { formatCount, formatPercent, formatRemaining, formatSize } from './format.js';

const section = document.querySelector('#uploads');
const list = document.querySelector('#upload-list');
const summary = document.querySelector('#uploads-summary');
const template = document.querySelector('#upload-row');

/** A speed of the first moments says nothing. In seconds. */
const SPEED_AFTER = 1;

/** Shows what is on its way, a row and a bar for each file. Rows of stored and cancelled files go. */
export class UploadList {
  #queue;
  #rows = new Map();

  constructor(queue) {
    this.#queue = queue;
    queue.addEventListener('change', (event) => this.#show(event.detail));
  }

  #show(upload) {
    if (upload.state === 'done' || upload.state === 'cancelled') {
      this.#remove(upload);
    } else {
      const row = this.#rows.get(upload) ?? this.#append(upload);
      row.dataset.state = upload.state;
      row.querySelector('.upload-state').replaceChildren(...stateParts(upload).map(part));
      const bar = row.querySelector('progress');
      // Without a value the bar is an indeterminate one: all is sent, and the server has yet to answer.
      if (upload.state === 'saving') bar.removeAttribute('value');
      else bar.value = upload.size === 0 ? 0 : upload.sent / upload.size;
      bar.hidden = upload.state === 'failed';
      row.querySelector('.retry').hidden = upload.state !== 'failed';
      const cancel = row.querySelector('.cancel');
      cancel.hidden = upload.state === 'saving';
      cancel.setAttribute('aria-label', `${upload.state === 'failed' ? 'Dismiss' : 'Cancel'} ${upload.name}`);
    }
    this.#summarize();
  }

  #append(upload) {
    const row = template.content.firstElementChild.cloneNode(true);
    const name = row.querySelector('.upload-name');
    name.textContent = upload.name;
    name.title = upload.name;
    row.querySelector('progress').setAttribute('aria-label', `Uploading ${upload.name}`);
    const retry = row.querySelector('.retry');
    retry.setAttribute('aria-label', `Try ${upload.name} again`);
    retry.addEventListener('click', () => {
      this.#queue.retry(upload);
      row.querySelector('.cancel').focus();
    });
    row.querySelector('.cancel').addEventListener('click', () => this.#queue.cancel(upload));
    this.#rows.set(upload, row);
    list.append(row);
    return row;
  }

  #remove(upload) {
    const row = this.#rows.get(upload);
    if (row === undefined) return;
    // The focus must not fall to the top of the page with the button that had it.
    if (row.contains(document.activeElement)) {
      const neighbour = row.nextElementSibling ?? row.previousElementSibling;
      (neighbour?.querySelector('button:not([hidden])') ?? document.querySelector('#choose')).focus();
    }
    this.#rows.delete(upload);
    row.remove();
  }

  #summarize() {
    const uploads = [...this.#rows.keys()];
    section.hidden = uploads.length === 0;
    const moving = uploads.filter((upload) => upload.state !== 'failed');
    const failed = uploads.length - moving.length;
    const left = moving.reduce((sum, upload) => sum + upload.size - upload.sent, 0);
    const parts = [];
    if (moving.length > 0) parts.push(`${formatCount(moving.length, 'file', 'files')}, ${formatSize(left)} to go`);
    if (failed > 0) parts.push(`${failed} failed`);
    summary.textContent = parts.join(' · ');
  }
}

/** What the row says, in parts: text, or text and its class. */
function stateParts(upload) {
  switch (upload.state) {
    case 'waiting':
      return ['waiting', formatSize(upload.size)];
    case 'saving':
      return ['saving …', formatSize(upload.size)];
    case 'failed':
      return [upload.problem];
    default:
      return sendingParts(upload);
  }
}

function sendingParts({ sent, size, startedAt }) {
  const parts = [[formatPercent(size === 0 ? 0 : sent / size), 'share'], `${formatSize(sent)} of ${formatSize(size)}`];
  const seconds = (performance.now() - startedAt) / 1000;
  if (seconds > SPEED_AFTER && sent > 0) {
    const speed = sent / seconds;
    parts.push([`${formatSize(speed)}/s`, 'speed'], formatRemaining((size - sent) / speed));
  }
  return parts;
}

function part(content) {
  const [text, className] = [content].flat();
  const span = document.createElement('span');
  span.textContent = text;
  if (className !== undefined) span.className = className;
  return span;
}
