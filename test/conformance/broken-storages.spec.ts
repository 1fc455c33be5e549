import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MemoryStorage, type KeyMode } from 'nestjs-storages';
import {
  runConformance,
  type CheckResult,
  type ConformanceHarness,
  type ConformanceLimits,
  type OpenedStorage,
} from 'nestjs-storages/testing';
import * as changes from '../broken-storages/broken-changes.js';
import * as closing from '../broken-storages/broken-closing.js';
import * as files from '../broken-storages/broken-files.js';
import * as folders from '../broken-storages/broken-folders.js';
import * as keys from '../broken-storages/broken-keys.js';
import * as lists from '../broken-storages/broken-lists.js';
import * as puts from '../broken-storages/broken-puts.js';
import * as reads from '../broken-storages/broken-reads.js';
import { FolderStorage } from '../broken-storages/folder-storage.js';

const MIB = 1024 * 1024;

/** Small, so that the whole suite takes seconds: what is broken here is broken at any size. */
const LIMITS: Partial<ConformanceLimits> = {
  manyKeys: 200,
  deleteCounts: [0, 1, 1000, 1001, 1100],
  largeObject: 2 * MIB,
  memoryObject: 32 * MIB,
  memoryBound: 8 * MIB,
  racers: 10,
  randomKeys: 30,
};

/** How long a broken storage that hangs is waited for, in milliseconds. One that works has the suite's own patience. */
const PATIENCE = 5000;

type MemoryClass = new (config: { readonly keys?: KeyMode | undefined }) => MemoryStorage;
type FolderClass = new (root: string, keys?: KeyMode) => FolderStorage;

function inMemory(storageClass: MemoryClass): ConformanceHarness {
  return {
    name: storageClass.name,
    capabilities: new storageClass({}).capabilities,
    limits: LIMITS,
    create: (options) => {
      const storage = new storageClass({ keys: options?.keys });
      return Promise.resolve({ storage, close: () => storage.close() });
    },
  };
}

interface OpenedFolder extends OpenedStorage {
  readonly root: string;
}

function inFolder(storageClass: FolderClass): ConformanceHarness<OpenedFolder> {
  const roots = new WeakMap<object, string>();
  const open = (root: string, mode?: KeyMode): OpenedFolder => {
    const storage = new storageClass(root, mode);
    roots.set(storage, root);
    const close = async (): Promise<void> => {
      await storage.close();
      await rm(root, { recursive: true });
    };
    return { storage, root, close };
  };
  return {
    name: storageClass.name,
    capabilities: new storageClass('never opened').capabilities,
    limits: { ...LIMITS, deleteCounts: [0, 1, 20, 21, 30] },
    create: async (options) => open(await mkdtemp(join(tmpdir(), 'nestjs-storages-')), options?.keys),
    reopen: async ({ storage, root }) => {
      await storage.close();
      return open(root);
    },
    leftovers: async (storage) => {
      const temporaries = join(roots.get(storage) ?? '', 'tmp');
      return readdir(temporaries).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // not opened yet
        throw error;
      });
    },
  };
}

const describeFailure = ({ name, error }: CheckResult): string =>
  `${name}: ${error instanceof Error ? error.message : String(error)}`;

/** Runs the checks of these names, each of which must exist. */
async function failuresOf<O extends OpenedStorage>(
  harness: ConformanceHarness<O>,
  names: readonly string[],
): Promise<readonly string[]> {
  const impatient = { ...harness, limits: { ...harness.limits, timeout: PATIENCE } };
  const report = await runConformance(impatient, { only: ({ name }) => names.includes(name) });
  const known = report.results.map(({ name }) => name);
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
  // one name may stand under several promises
  return [...new Set(report.failed.map(({ name }) => name))].sort();
}

describe('the suite reports nothing of a storage that is not broken', () => {
  it('MemoryStorage', async () => {
    const { results, failed } = await runConformance(inMemory(MemoryStorage));
    expect(failed.map(describeFailure)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(200);
  });

  it('FolderStorage, on which the broken ones with files are built', async () => {
    const { failed } = await runConformance(inFolder(FolderStorage));
    expect(failed.map(describeFailure)).toEqual([]);
    // all of the suite in one test, on a disk that others may be using
  }, 300_000);
});

/** Each broken storage, and the checks that are meant for what is wrong with it. */
const IN_MEMORY: readonly (readonly [MemoryClass, readonly string[]])[] = [
  // list
  [
    lists.PrefixOfLike,
    ['list gives % no meaning in a prefix', 'list gives _ no meaning in a prefix', 'deletePrefix gives % no meaning'],
  ],
  [lists.PrefixOfGlob, ['list gives * no meaning in a prefix']],
  [lists.PrefixWithoutCase, ['list does not fold the case of a prefix']],
  [lists.PrefixOfFolders, ['list takes a prefix that ends inside a name']],
  [lists.OrderOfUtf16, ['list puts U+FF5E before U+1F600, in names and in folders']],
  [lists.OrderOfFolders, ['list puts a-b, a.b, a/b and a0 in this order, whatever is a folder']],
  [
    lists.ListThatBuffersAll,
    ['the first of many keys costs a small part of the steps of all, and all come once and in order'],
  ],
  [lists.ListByOffset, ['deleting each object as it is listed deletes all']],
  [lists.LimitIgnored, ['list with limit 1 yields at most so many', 'list with limit 5 yields at most so many']],
  [lists.StartAfterIncluded, ['list with startAfter a key that exists yields what comes after it in byte order']],
  [lists.ListWithoutSize, ['list yields key, size, etag and date as info does']],
  [lists.PrefixesRepeated, ['one level shows its objects and each folder once']],
  [lists.FoldersFirst, ['files and prefixes stand in one byte order, and t-/ comes before t/']],

  // put and stage
  [puts.ShortWrites, ['put stores a large buffer, byte for byte', 'put joins chunks of 65537 bytes']],
  [puts.BytesThroughText, ['put stores a stream whose text is cut inside a character']],
  [puts.CallersBufferKept, ['put keeps its bytes when the caller changes the buffer afterwards']],
  [puts.VisibleWhileWritten, ['the new object is neither readable nor listed before it is whole']],
  [puts.OldObjectGoesFirst, ['put that fails because its source fails in the middle keeps the old object']],
  [puts.BrokenSourceIsTheEnd, ['put that fails because its source fails in the middle leaves nothing']],
  [puts.VisibleBeforeCommit, ['what is staged is neither there nor listed']],
  [puts.StageDecidesEarly, ['a create that was overtaken after staging is refused at the commit, and leaves no trace']],
  [puts.CreateAsksFirst, ['many racing creates of bytes have one winner, whose object stays']],
  [puts.CompareThenSwap, ['many racing replacements of one version have one winner']],
  [puts.UndeclaredConditionIgnored, ['put refuses ifNoneMatch before any I/O, since createOnly is not declared']],
  [puts.SizeNotChecked, ['put of a stream refuses a size that is too small, and stores nothing']],
  [puts.ChecksumNotChecked, ['put of a stream refuses a wrong sha256, and stores nothing']],
  [puts.OneShotSourceTwice, ['put asks an async source that failed for no second iterator']],
  [puts.SourceLeftOpen, ['put destroys a source that it does not read, where the key is refused']],
  [puts.ProgressOnce, ['put of a stream of unknown length reports progress without a total']],
  [puts.SignalUnheard, ['put with a signal that has fired rejects with an AbortError, and changes nothing']],

  // what is known of a file
  [files.EtagThatStays, ['the etag changes with the bytes, also when the length stays, each time']],
  [files.EtagOfBytesOnly, ['the etag changes with the attributes alone']],
  [files.QuotedEtag, ['the etag is not empty, has no quotes, and can stand in a header']],
  [files.OtherDateFromPut, ['put of bytes without attributes returns what info returns']],
  [files.OtherEtagFromPut, ['the etag is the same in put, get, info and list, and stays while the object does']],
  [files.KeyAsGiven, ['put returns the canonical key']],
  [
    files.ContentTypeLost,
    ['the content type of "b.png" given as text/plain; charset=utf-8 is text/plain; charset=utf-8'],
  ],
  [files.CacheControlLost, ['cacheControl comes back as it was given, and is absent where it was not']],
  [files.MetadataNamesAsGiven, ['metadata keeps names in lower case']],
  [files.ProtoLost, ['metadata keeps names of Object.prototype as names']],
  [files.MetadataInLatin1, ['metadata keeps Unicode and emoji']],
  [files.MetadataOfOldVersionKept, ['put replaces metadata wholly, and keeps no name of the old one']],
  [files.RecordsThatCanBeChanged, ['what put, get, info and list return cannot be changed']],
  [files.DateOfItsOwn, ['a date that a caller changes does not change the object']],
  [files.UrlThatDoesNotWork, ['a URL gives the bytes and the content type to whoever follows it, for odd keys too']],
  [files.UrlOfThePath, ['url is a URL that names no file of the machine, and shows nothing of it']],
  [files.UrlNotEncoded, ['a pseudo-URL holds the key, percent-encoded, so that it can be read back']],

  // get, info and exists
  [reads.RangeOneTooLong, ['get reads the middle']],
  [reads.SuffixAsOffset, ['get reads the last bytes by suffix']],
  [reads.RangeNotClamped, ['get reads a length past the end, clamped']],
  [reads.RangePastTheEndIsEmpty, ['get refuses an offset at the size, and says the size']],
  [reads.SizeOfTheRange, ['get reads the middle']],
  [reads.NoSnapshot, ['a reader reads the whole old object when it is overwritten meanwhile']],
  [reads.ReadsAheadWithoutBound, ['a stream whose reader waits holds at most a part of a large object']],
  [reads.BytesOfItsOwn, ['a reader that changes the chunks it got does not change the object']],
  [reads.MissingSaidLate, ['get of a missing key rejects and names the key']],
  [reads.ErrorWithoutCode, ['info of a missing key names the key']],
  [reads.ErrorWithoutItsKey, ['info of a missing key names the key']],
  [reads.ExistsThatSwallowsErrors, ['exists throws where it cannot tell, rather than say no']],
  [reads.ExistsForFolders, ['exists is false for a folder, with and without a slash']],
  [reads.ListenersPileUp, ['100 calls of info on one signal leave no listener']],

  // keys
  [keys.KeysInNfc, ['"\u00e9" and "e\u0301" (e9 and 65 301) are two objects']],
  [keys.KeysWithoutCase, ['"a" and "A" (61 and 41) are two objects']],
  [keys.KeysWithoutTrailingDots, ['"a" and "a." (61 and 61 2e) are two objects']],
  [keys.KeysDecoded, ['the key "a%2Fb" is an object of its own']],
  [keys.NamesCutAt255, ['a part of 256 bytes may stand in a key']],
  [keys.NoObjectBesideItsFolder, ['an object may lie at every level of a path at once']],
  [keys.ReservedNames, ['the key ".meta/a" is an object of its own']],
  [keys.ControlCharactersDropped, ['exists refuses a key that breaks a rule, and changes nothing']],

  // delete, copy and move
  [changes.DeleteOfMissingResolves, ['delete of a missing key rejects and names the key']],
  [changes.DeleteOfSiblings, ['delete leaves every object of a similar name']],
  [changes.DeleteOfAnyVersion, ['ifMatch refuses another version, and leaves it, forced or not']],
  [changes.DeleteManyOfAThousand, ['deleteMany takes a number of keys with a result for each (one more)']],
  [changes.DeleteManyWithoutMissing, ['deleteMany counts missing keys as deleted']],
  [changes.DeletePrefixOfAll, ['deletePrefix of the empty prefix is refused unless all is said']],
  [changes.CopyWithoutMetadata, ['copy takes bytes and every attribute along, and returns what info then returns']],
  [changes.SelfMoveThatDeletes, ['move onto itself returns the object as it is']],
  [changes.SelfCopyThatEmpties, ['copy onto itself returns the object as it is']],
  [changes.CopyOfMissingEmpties, ['copy of a missing source leaves the object at the destination']],
  [changes.CopyOverwritesAlways, ['copy with ifNoneMatch refuses an object that is there, and leaves both']],
  [changes.MoveDeletesFirst, ['move with ifNoneMatch refuses an object that is there, and leaves both']],
  [changes.MoveThatCopies, ['move takes bytes and every attribute along, and returns what info then returns']],
  [
    changes.MoveWithManyWinners,
    ['of ten moves of one source to ten places one succeeds, and nothing is doubled or lost'],
  ],

  // what is not declared, and the end
  [closing.ExpiryIgnored, ['url refuses expiresIn, since no signed URLs are declared']],
  [closing.CloseThatRefusesNothing, ['put after close is refused with a StorageClosedError']],
  [closing.CloseThatWaitsForNothing, ['close lets a put that has begun settle']],
  [closing.CloseThatWaitsForSources, ['close lets a put that has begun settle']],
  [closing.CloseOnce, ['close may be called again, at once and later']],
];

const IN_FOLDERS: readonly (readonly [FolderClass, readonly string[]])[] = [
  [folders.TemporaryLeftBehind, ['put that fails because its source fails in the middle leaves nothing']],
  [folders.WriterLeftOpen, ['put that fails because its source fails in the middle leaves nothing']],
  [folders.ReaderLeftOpen, ['leaving a stream by break, 20 times, leaves no file open']],
  [folders.PathInTheMessage, ['get of a missing key rejects and names the key']],
  [folders.StagedFileNotRemoved, ['an aborted file leaves nothing']],
  [folders.SourceBufferedWhole, ['put passes a large object on in bounded memory, and so does get']],
  [folders.ObjectReadWhole, ['put passes a large object on in bounded memory, and so does get']],
  [folders.AttributesNotWritten, ['bytes and every attribute are there after reopening']],
];

describe('the suite reports a broken storage by the check that is meant for it', () => {
  it.each(IN_MEMORY.map(([broken, meant]) => [broken.name, broken, meant] as const))('%s', async (_, broken, meant) => {
    expect(await failuresOf(inMemory(broken), meant)).toEqual([...meant].sort());
  });

  it.each(IN_FOLDERS.map(([broken, meant]) => [broken.name, broken, meant] as const))(
    '%s',
    async (_, broken, meant) => {
      expect(await failuresOf(inFolder(broken), meant)).toEqual([...meant].sort());
    },
  );

  it('and none of them was forgotten here', () => {
    const named = [...IN_MEMORY, ...IN_FOLDERS].map(([broken]) => broken.name);
    const written = [changes, closing, files, folders, keys, lists, puts, reads].flatMap((module) =>
      Object.keys(module),
    );
    expect(named.sort()).toEqual(written.sort());
    expect(named.length).toBeGreaterThanOrEqual(24);
  });
});
