// check-start.js <command line>: starts the sample as the README tells a reader to, waits until it answers, and ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const [command] = process.argv.slice(2);
if (!command) throw new Error('README.md names no start command');

// Below those that the system gives to connections by itself: the command may install packages first, over a hundred of them.
async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    const server = createServer().listen(port);
    // once() rejects at an error
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

const port = await freePort();
// a group of its own: the command starts others
const child = spawn('bash', ['-c', command], {
  stdio: ['ignore', 'inherit', 'inherit'],
  detached: true,
  env: { ...process.env, PORT: String(port) },
});
const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
let running = true;
void exited.then(() => (running = false));

function endGroup() {
  if (running) process.kill(-child.pid, 'SIGTERM');
}
// the time that the caller allows has passed
process.once('SIGTERM', () => {
  endGroup();
  process.exit(1);
});

async function page() {
  while (running) {
    try {
      const response = await fetch(`http://localhost:${port}/`, { signal: AbortSignal.timeout(5000) });
      return { status: response.status, text: await response.text() };
    } catch {
      await delay(250); // it does not listen yet
    }
  }
  throw new Error(`The command has ended before it answered: ${JSON.stringify(await exited)}`);
}

try {
  const { status, text } = await page();
  const title = /<title>(.*?)<\/title>/s.exec(text)?.[1];
  console.log(`answered ${status}: ${title}`);
  if (status !== 200 || title === undefined) process.exitCode = 1;
} finally {
  endGroup();
  await exited;
}
