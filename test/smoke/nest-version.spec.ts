import { createRequire } from 'node:module';
import { expect, it } from '@jest/globals';

// The second Jest project is only worth its time if it does not run on the first one's Nest.
it.each(['@nestjs/common', '@nestjs/core', '@nestjs/platform-express'])(
  'runs on the %s that the Jest project is named for',
  (name) => {
    const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
    expect(Number.parseInt(version, 10)).toBe((globalThis as { nestMajor?: unknown }).nestMajor);
  },
);
