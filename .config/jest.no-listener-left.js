// A channel of node:diagnostics_channel belongs to the process, and so to every spec file that its worker runs later: one that goes on
// listening makes calls of the others traced, which some of them measure.
import { channel } from 'node:diagnostics_channel';
import { afterAll, expect } from '@jest/globals';

afterAll(() => {
  const listened = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']
    .map((name) => `tracing:nestjs-storages:operation:${name}`)
    .filter((name) => channel(name).hasSubscribers);
  expect(listened).toEqual([]);
});
