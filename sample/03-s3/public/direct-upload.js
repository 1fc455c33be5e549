const element = (id) => document.getElementById(id);
const notice = element('notice');
const bytes = new Intl.NumberFormat('en', { style: 'unit', unit: 'byte', unitDisplay: 'long' });

class Failure extends Error {}

element('upload').addEventListener('submit', async (event) => {
  event.preventDefault();
  const files = [...element('files').files];
  const way = new FormData(event.target).get('way');
  const cancel = new AbortController();
  element('cancel').onclick = () => cancel.abort();
  say('');
  showProgress(0);
  showSending(true);
  try {
    await (way === 'direct' ? sendDirectly(files, cancel.signal) : sendThroughServer(files, cancel.signal));
    event.target.reset();
    say(files.length === 1 ? `${files[0].name} is stored.` : `${files.length} files are stored.`);
  } catch (error) {
    if (cancel.signal.aborted) say('Cancelled.');
    else say(error instanceof Failure ? error.message : 'The connection broke off.', 'bad');
  }
  showSending(false);
  await show();
});

// ------------------------------------------------------------------------------------------------ straight into the bucket

/** One file after the other: where it may be put, the put, and that it is done. */
async function sendDirectly(files, signal) {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const file of files) {
    const { key, upload } = await ask('api/uploads', { name: file.name, type: file.type, size: file.size }, signal);
    // all headers are signed: another type or length is refused by the bucket
    await send(upload, file, signal, (loaded) => showProgress((before + loaded) / total));
    await ask('api/uploads/done', { key }, signal);
    before += file.size;
  }
}

async function ask(address, body, signal) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!response.ok) throw new Failure(problemOf(response.status, await response.text()));
  return response.json();
}

// ------------------------------------------------------------------------------------------------ through the server

async function sendThroughServer(files, signal) {
  const form = new FormData();
  for (const file of files) form.append('files', file);
  await send({ method: 'POST', url: 'api/files', headers: {} }, form, signal, (loaded, total) => {
    showProgress(loaded / total);
  });
}

// ------------------------------------------------------------------------------------------------ both

/** fetch() cannot tell how much of a body has been sent; XMLHttpRequest can. */
function send({ method, url, headers }, body, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded, total));
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(new Failure(problemOf(request.status, request.responseText)));
    });
    // also where the bucket's CORS rules do not let this page in: scripts are not told the difference
    request.addEventListener('error', () => reject(new Error('no answer')));
    request.addEventListener('abort', () => reject(new Error('aborted')));
    signal.addEventListener('abort', () => request.abort());
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body);
    if (signal.aborted) request.abort();
  });
}

async function show() {
  const response = await fetch('api/files');
  if (!response.ok) return say(problemOf(response.status, await response.text()), 'bad');
  const rows = (await response.json()).map(({ key, name, size }) => {
    const row = document.createElement('li');
    const link = document.createElement('a');
    link.href = `api/files/download?${new URLSearchParams({ key })}`;
    // strangers' words become text, never HTML
    link.textContent = name;
    row.append(link, ` · ${bytes.format(size)}`);
    return row;
  });
  element('stored').replaceChildren(...rows);
}

function showProgress(share) {
  // of nothing but empty files nothing has to be sent
  element('bar').value = Number.isNaN(share) ? 1 : share;
}

function showSending(sending) {
  element('sending').hidden = !sending;
  element('send').disabled = sending;
  if (sending) element('cancel').focus();
  else notice.focus();
}

/** What the server says went wrong: the message of its JSON, else the status (the bucket answers in XML). */
function problemOf(status, text) {
  try {
    const { message } = JSON.parse(text);
    if (message !== undefined) return [message].flat().join(' ');
  } catch {
    // not JSON
  }
  return `The server answered with status ${status}.`;
}

function say(text, kind = '') {
  notice.className = `notice ${kind}`;
  notice.textContent = text;
}

await show();
