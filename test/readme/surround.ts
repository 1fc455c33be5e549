// #region surround
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { STORAGE_OPERATIONS, type TracedOperation } from 'nestjs-storages';

/** What a storage does, for whoever is called from inside it. */
export const currentOperation = new AsyncLocalStorage<TracedOperation>();

export function followOperations(): void {
  subscribe(`tracing:${STORAGE_OPERATIONS}:start`, (message) => {
    const operation = message as TracedOperation;
    operation.surround((work) => currentOperation.run(operation, work));
  });
}
// #endregion surround
