// Makes the form nicer where there are scripts: progress, cancel, and messages beside what was entered.
const element = (id) => document.getElementById(id);
const form = element('form');
const answer = element('answer');
const bytes = new Intl.NumberFormat('en', { style: 'unit', unit: 'byte', unitDisplay: 'long' });

form.addEventListener('submit', (event) => {
  event.preventDefault();
  send(new FormData(form));
});

function send(application) {
  // fetch() cannot tell how much of a body has been sent; XMLHttpRequest can.
  const request = new XMLHttpRequest();
  request.upload.addEventListener('progress', ({ loaded, total }) => showProgress(loaded / total));
  request.addEventListener('load', () => showAnswer(request));
  request.addEventListener('error', () => {
    show('bad', 'The connection broke off.', ['Nothing was stored. Please try again.']);
  });
  request.addEventListener('abort', () => show('bad', 'Cancelled.', ['Nothing was stored.']));
  request.addEventListener('loadend', () => showSending(false));
  element('cancel').onclick = () => request.abort();

  request.open(form.method, form.action);
  request.setRequestHeader('Accept', 'application/json');
  request.send(application);
  answer.hidden = true;
  showProgress(0);
  showSending(true);
}

function showProgress(share) {
  element('bar').value = share;
  element('share').value = share < 1 ? `${Math.floor(share * 100)} %` : 'Checking …';
}

function showSending(sending) {
  element('sending').hidden = !sending;
  element('send').disabled = sending;
  if (sending) element('cancel').focus();
}

function showAnswer({ status, responseText }) {
  let body;
  try {
    body = JSON.parse(responseText);
  } catch {
    // a proxy's own page, for one
    show('bad', `The server answered with status ${status}.`, []);
    return;
  }
  if (status !== 201) {
    const code = body.code === undefined ? [] : [' ', make('code', body.code)];
    show('bad', body.title ?? 'Something went wrong.', [make('p', body.message, ...code), 'Nothing was stored.']);
    return;
  }
  const rows = body.files.map((file) =>
    make('li', make('b', file.name), ' ', make('span', bytes.format(file.size)), ' ', make('code', file.sha256)),
  );
  show('good', `Thank you, ${body.name}!`, [`${body.city} · ${body.languages.join(', ')}`, make('ul', ...rows)]);
  form.reset();
}

function show(kind, title, content) {
  answer.className = `answer ${kind}`;
  answer.replaceChildren(
    make('h2', title),
    ...content.map((each) => (typeof each === 'string' ? make('p', each) : each)),
  );
  answer.hidden = false;
  answer.focus();
  answer.scrollIntoView({ block: 'nearest' });
}

function make(name, ...children) {
  const made = document.createElement(name);
  // strings become text, never HTML
  made.append(...children);
  return made;
}
