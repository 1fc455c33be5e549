// How this page sends: small questions by fetch, files by XMLHttpRequest.

/** Something that can be told to the visitor as it is. */
export class Failure extends Error {}

export async function ask(address, body, signal) {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!response.ok) throw new Failure(problemOf(response.status, await response.text()));
  return response.json();
}

/** Sends a file to where a signed upload says. fetch() cannot tell how much of a body has been sent; XMLHttpRequest can. */
export function send({ method, url, headers }, body, { signal, onProgress, onSent }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', ({ loaded }) => onProgress?.(loaded));
    request.upload.addEventListener('load', () => onSent?.());
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(new Failure(problemOf(request.status, request.responseText)));
    });
    request.addEventListener('error', () => reject(new Error('no answer')));
    request.addEventListener('abort', () => reject(new Error('aborted')));
    signal.addEventListener('abort', () => request.abort());
    request.open(method, atThisServer(url));
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(body);
    if (signal.aborted) request.abort();
  });
}

/**
 * The URL begins with the server's public address, and this page may be open under another one of the same server (127.0.0.1, one in the home
 * network). The signature does not cover the address.
 */
function atThisServer(url) {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** What the server says went wrong: the message of its JSON, else the status. */
export function problemOf(status, text) {
  try {
    const { message } = JSON.parse(text);
    if (message !== undefined) return [message].flat().join(' ');
  } catch {
    // not JSON: a proxy's own page, for one
  }
  return status === 413 ? 'The file is too large.' : `The server answered with status ${status}.`;
}
