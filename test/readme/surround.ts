// #region surround
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { STORAGE_OPERATIONS, type TracedOperation } from 'nestjs-storages';

const STARTS = `tracing:${STORAGE_OPERATIONS}:start`;

/** What a storage does, for whoever is called from inside it. */
export const currentOperation = new AsyncLocalStorage<TracedOperation>();

/** Until the function that it gives back is called. */
export function followOperations(): () => void {
  const begin = (message: unknown): void => {
    const operation = message as TracedOperation;
    operation.surround((work) => currentOperation.run(operation, work));
  };
  subscribe(STARTS, begin);
  return () => void unsubscribe(STARTS, begin);
}
// #endregion surround
