import {
  ReadOnlyStorage,
  RetryingStorage,
  ScopedStorage,
  TimeoutStorage,
  type BaseStorage,
  type Capabilities,
  type KeyMode,
  type Storage,
} from 'nestjs-storages';
import { WrittenBeside } from './written-beside.js';

/** A way to wrap a storage, as the conformance suite runs on it. */
export interface Wrapping {
  readonly name: string;
  /** How much shorter its keys are. */
  readonly prefix: string;
  /** Whether closing it closes the inner storage. */
  readonly owns: boolean;
  wrap(inner: BaseStorage, keys: KeyMode | undefined): Storage;
}

export const WRAPPINGS: readonly Wrapping[] = [
  {
    name: 'ReadOnlyStorage, written beside it,',
    prefix: '',
    owns: true,
    wrap: (inner, keys) => new WrittenBeside(new ReadOnlyStorage(inner, { keys, name: inner.name }), inner),
  },
  { name: 'RetryingStorage', prefix: '', owns: true, wrap: (inner, keys) => new RetryingStorage(inner, { keys }) },
  { name: 'TimeoutStorage', prefix: '', owns: true, wrap: (inner, keys) => new TimeoutStorage(inner, { keys }) },
];

/** One in the other, and a view of them. */
export const COMPOSED: Wrapping = {
  name: 'ScopedStorage, RetryingStorage and TimeoutStorage',
  prefix: 'tenants/7/',
  owns: false,
  wrap: (inner, keys) => new ScopedStorage(new RetryingStorage(new TimeoutStorage(inner)), 'tenants/7/', { keys }),
};

export function capabilitiesWithin(inner: Capabilities, { prefix }: Wrapping): Capabilities {
  return { ...inner, maxKeyBytes: inner.maxKeyBytes - prefix.length };
}
