const DOCUMENTS = 'api/documents';
const sizes = ['byte', 'kilobyte', 'megabyte', 'gigabyte'].map(
  (unit, i) =>
    new Intl.NumberFormat('en', {
      style: 'unit',
      unit,
      unitDisplay: i === 0 ? 'long' : 'short',
      maximumFractionDigits: 1,
    }),
);
const dates = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

const element = (id) => document.getElementById(id);
const list = element('documents');
const notice = element('notice');
const [prefix, tag] = [element('prefix'), element('tag')];

// ------------------------------------------------------------------------------------------------ search

let search = 0;
let next = null;

/** Shows what the two fields ask for. An answer that comes after a newer question is nobody's. */
async function show(after = null) {
  const asked = ++search;
  const query = new URLSearchParams({ prefix: prefix.value, tag: tag.value });
  if (after !== null) query.set('after', after);
  try {
    const response = await fetch(`${DOCUMENTS}?${query}`);
    if (!response.ok) throw new Error(problemOf(response.status, await response.text()));
    const answer = await response.json();
    if (asked !== search) return;
    const rows = answer.documents.map(rowOf);
    if (after === null) list.replaceChildren(...rows);
    else list.append(...rows);
    next = answer.next;
    element('more').hidden = next === null;
    element('empty').hidden = list.children.length > 0;
    if (after !== null) rows[0]?.querySelector('a').focus();
  } catch (error) {
    if (asked === search) say(`The documents could not be listed. ${error.message}`, 'bad');
  }
}

const addressOf = (name) => `${DOCUMENTS}/${encodeURIComponent(name)}`;

function rowOf({ name, size, lastModified, tags }) {
  const row = element('row').content.firstElementChild.cloneNode(true);
  // names and tags are strangers' words: they become text, never HTML
  const link = row.querySelector('.name');
  link.textContent = name;
  link.href = addressOf(name);
  row.querySelector('.size').textContent = sizeOf(size);
  const time = row.querySelector('time');
  time.dateTime = lastModified;
  time.textContent = dates.format(new Date(lastModified));
  row.querySelector('.tags').append(...tags.map(tagButton));
  const remove = row.querySelector('.delete');
  remove.setAttribute('aria-label', `Delete ${name}`);
  remove.addEventListener('click', () => removeDocument(name, row));
  return row;
}

function tagButton(text) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = text;
  button.setAttribute('aria-label', `Show documents with the tag ${text}`);
  button.addEventListener('click', () => {
    tag.value = text;
    tag.focus();
    show();
  });
  return button;
}

function sizeOf(bytes) {
  let unit = 0;
  while (bytes >= 1000 && unit < sizes.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return sizes[unit].format(bytes);
}

async function removeDocument(name, row) {
  if (!confirm(`Delete ${name}? There is no undo.`)) return;
  const response = await fetch(addressOf(name), { method: 'DELETE' }).catch(() => undefined);
  // one that is gone already counts as deleted
  if (response?.ok || response?.status === 404) {
    // someone at a keyboard goes on at the neighbour
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (neighbour?.querySelector('.delete') ?? element('documents-title')).focus();
    element('empty').hidden = list.children.length > 0;
    say(`${name} is deleted.`);
    return;
  }
  say(
    `${name} could not be deleted. ${response === undefined ? BROKEN : problemOf(response.status, await response.text())}`,
    'bad',
  );
}

// ------------------------------------------------------------------------------------------------ upload

const BROKEN = 'The connection broke off.';

element('upload').addEventListener('submit', (event) => {
  event.preventDefault();
  const files = [...element('files').files];
  const form = new FormData();
  for (const file of files) form.append('documents', file);
  const query = new URLSearchParams({ tags: element('new-tags').value, replace: element('replace').checked });

  // fetch() cannot tell how much of a body has been sent; XMLHttpRequest can
  const request = new XMLHttpRequest();
  request.upload.addEventListener('progress', ({ loaded, total }) => (element('bar').value = loaded / total));
  request.addEventListener('load', () => {
    if (request.status !== 201) {
      say(`${problemOf(request.status, request.responseText)} Nothing was added.`, 'bad');
      return;
    }
    event.target.reset();
    say(files.length === 1 ? `${files[0].name} is in the inbox.` : `${files.length} documents are in the inbox.`);
    show();
  });
  request.addEventListener('error', () => say(`${BROKEN} Nothing was added.`, 'bad'));
  request.addEventListener('abort', () => say('Cancelled. Nothing was added.'));
  request.addEventListener('loadend', () => showSending(false));
  element('cancel').onclick = () => request.abort();
  request.open('POST', `${DOCUMENTS}?${query}`);
  request.send(form);
  say('');
  element('bar').value = 0;
  showSending(true);
});

function showSending(sending) {
  const focused = document.activeElement;
  element('send').disabled = sending;
  element('bar').hidden = element('cancel').hidden = !sending;
  if (sending) element('cancel').focus();
  else if (focused === element('cancel')) notice.focus();
}

// ------------------------------------------------------------------------------------------------ words

/** What the server says went wrong: the message of its JSON, else the status. */
function problemOf(status, text) {
  try {
    const { message, code } = JSON.parse(text);
    if (code === 'FILE_EXISTS') return 'There is a document of that name already, and it may not be replaced.';
    if (typeof message === 'string' && message !== '') return message;
  } catch {
    // not JSON: a proxy's own page, for one
  }
  return `The server answered with status ${status}.`;
}

function say(text, kind = '') {
  notice.className = `notice ${kind}`;
  notice.textContent = text;
}

element('search').addEventListener('submit', (event) => event.preventDefault());
element('search').addEventListener('input', () => show());
element('more').addEventListener('click', () => show(next));
await show();
