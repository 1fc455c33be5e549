import { describe, expect, it } from '@jest/globals';
import { LiveList, type Listed } from '../../lib/contract/base/live-list.js';

interface Item extends Listed {
  readonly name: number;
}

const itemOf = (name: number): Item => ({ name, place: undefined });

const names = (list: LiveList<Item>): number[] => list.all().map(({ name }) => name);

describe('What is under way', () => {
  it('has what was added and not deleted, whatever goes first', () => {
    const list = new LiveList<Item>();
    const items = Array.from({ length: 5 }, (_, name) => itemOf(name));
    for (const item of items) list.add(item);
    for (const gone of [1, 4, 0]) {
      const item = items[gone];
      if (item !== undefined) list.delete(item);
      expect(names(list)).not.toContain(gone);
      expect(list.size).toBe(names(list).length);
    }
    expect(names(list).sort()).toEqual([2, 3]);
    expect(list.some(({ name }) => name === 3)).toBe(true);
    expect(list.some(({ name }) => name === 4)).toBe(false);
  });

  it('has a thing once, and not after a second deletion', () => {
    const list = new LiveList<Item>();
    const [one, two] = [itemOf(1), itemOf(2)];
    list.add(one);
    list.add(one);
    list.add(two);
    expect(names(list)).toEqual([1, 2]);
    list.delete(one);
    list.delete(one);
    expect(names(list)).toEqual([2]);
    list.add(one);
    expect(names(list)).toEqual([2, 1]);
  });
});
