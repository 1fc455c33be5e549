import { AttributeFiles } from '../../../lib/backends/filesystem/attribute-files.js';
import { KeyLocks } from '../../../lib/backends/filesystem/key-locks.js';
import { ObjectTree } from '../../../lib/backends/filesystem/object-tree.js';
import { TemporaryFiles } from '../../../lib/backends/filesystem/temporary-files.js';
import { VersionClock } from '../../../lib/backends/filesystem/version-clock.js';

/** The rules of the scheme that the attack must catch when they do not hold. */
export const RULES = ['lock', 'one-commit', 'rising-times', 'stays-in-place'] as const;
export type Rule = (typeof RULES)[number];

const OFF: Record<Rule, () => void> = {
  lock: () => {
    KeyLocks.prototype.hold = (_key, _signal, work) => work();
  },
  // attributes by a step of their own, after the body's
  'one-commit': () => {
    const later: (() => Promise<void>)[] = [];
    const write = AttributeFiles.prototype.write;
    AttributeFiles.prototype.write = function (...args) {
      later.push(() => write.apply(this, args));
      return Promise.resolve();
    };
    const { place, replace } = ObjectTree.prototype;
    ObjectTree.prototype.place = async function (...args) {
      const outcome = await place.apply(this, args);
      for (const step of later.splice(0)) await step();
      return outcome;
    };
    ObjectTree.prototype.replace = async function (...args) {
      const outcome = await replace.apply(this, args);
      for (const step of later.splice(0)) await step();
      return outcome;
    };
  },
  // the kernel's own clock, which ticks every 4 ms
  'rising-times': () => {
    VersionClock.prototype.next = () => (Math.floor(Date.now() / 4) * 4) / 1000;
    TemporaryFiles.prototype.stampAfter = (temporary) => Promise.resolve(temporary);
  },
  // an object goes to its ordinary path when that has become free
  'stays-in-place': () => {
    const { replace, place, remove } = ObjectTree.prototype;
    ObjectTree.prototype.replace = async function (temporary, object) {
      if (!object.path.includes('/.storages/over/')) return replace.call(this, temporary, object);
      const root = object.path.slice(0, object.path.indexOf('/.storages/'));
      const key = object.path
        .slice(root.length + '/.storages/over/'.length)
        .split('/')
        .map((part) => part.slice(1))
        .join('/');
      const outcome = await place.call(this, key, temporary, `${root}/${key}`, false);
      if (outcome === 'placed') await remove.call(this, `${key}/none`, object);
      return outcome;
    };
  },
};

export function switchOff(rule: string): void {
  const off = Object.entries(OFF).find(([name]) => name === rule);
  if (off === undefined) throw new Error(`There is no rule ${rule}.`);
  off[1]();
}
